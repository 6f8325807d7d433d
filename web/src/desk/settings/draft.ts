// What the settings change of a venue file, as fields of a form, and back.

import type { Schemas, Venue } from "../../api/client";
import { speaks } from "../../words/index.svelte";

export const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEK)[number];
export type Week = Record<Weekday, [string, string][]>;
export type Fault = { field: string; message: string };

/** The fields that can be changed here; everything else of the file stays as it is. */
export type Draft = {
  name: string;
  slot_minutes: number;
  /** Null: the venue file says it by party size, which is not changed here. */
  seating_minutes: number | null;
  /** Null: not limited. */
  max_party: number | null;
  accepting: boolean;
  always_open: boolean;
  hours: Week;
  /** Ids of the resources that are out of service. */
  out: string[];
};

export function draftOf(venue: Venue): Draft {
  const hours = (venue.hours ?? {}) as Partial<Week>;
  return {
    name: venue.name,
    slot_minutes: venue.slot_minutes,
    seating_minutes: typeof venue.seating_minutes === "number" ? venue.seating_minutes : null,
    max_party: venue.policies.max_party ?? null,
    accepting: venue.accepting ?? true,
    always_open: venue.hours === undefined,
    hours: Object.fromEntries(WEEK.map((day) => [day, (hours[day] ?? []).map(([from, to]) => [from, to])])) as Week,
    out: venue.resources.filter((one) => one.active === false).map((one) => one.id),
  };
}

/** The whole file with the draft in it; whether it may be so is for the device to say. */
export function fileOf(venue: Venue, draft: Draft): Schemas["VenueFile"] {
  const { hours: _hours, accepting: _accepting, ...rest } = venue;
  return {
    ...rest,
    name: draft.name,
    slot_minutes: draft.slot_minutes,
    seating_minutes: draft.seating_minutes ?? venue.seating_minutes,
    ...(draft.accepting ? {} : { accepting: false }),
    ...(draft.always_open ? {} : { hours: draft.hours }),
    // Null is said: what is left out gets the usual limit.
    policies: { ...venue.policies, max_party: draft.max_party },
    resources: venue.resources.map(({ active: _active, ...one }) => (draft.out.includes(one.id) ? { ...one, active: false } : one)),
  } as Schemas["VenueFile"];
}

/** What was said about a field, or about something within it. */
export const faultOf = (faults: readonly Fault[], field: string): string =>
  faults.filter((one) => one.field === field || one.field.startsWith(`${field}.`) || one.field.startsWith(`${field}[`)).map((one) => one.message).join("; ");

/** Such as `Monday`; 1 January 2024 was one. */
export const weekdayWords = (day: Weekday): string =>
  new Intl.DateTimeFormat(speaks(), { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + WEEK.indexOf(day)));
