// What the desk's pages read from a venue: its hours of a date, and its resources in words.

import type { Resource, Venue } from "../api/client";

/** What somebody wants when they point at a place: times of the venue's own clock, without offset. */
export type Wanted = { starts_at?: string; ends_at?: string; resources?: string[]; walk_in?: boolean };

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** The spans in which a venue is open on a date; without hours it never closes. */
export function openHours(venue: Venue, date: string): readonly (readonly [string, string])[] {
  if ((venue.closed ?? []).includes(date)) return [];
  if (!venue.hours) return [["00:00", "24:00"]];
  const name = DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()]!;
  return (venue.hours as Record<string, [string, string][]>)[name] ?? [];
}

/** Such as `2–4`, or how many a pool holds. */
export function resourceWords(one: Resource | Venue["resources"][number]): string {
  if (one.seats) return one.seats[0] === one.seats[1] ? String(one.seats[0]) : `${one.seats[0]}–${one.seats[1]}`;
  return one.capacity ? String(one.capacity) : "";
}

/** The service date of now, on the venue's clock. */
export function today(venue: Venue, now: number): string {
  const [hours = 0, minutes = 0] = (venue.day_starts_at ?? "00:00").split(":").map(Number);
  const began = new Date(now - (hours * 60 + minutes) * 60_000);
  return new Intl.DateTimeFormat("sv-SE", { timeZone: venue.time_zone, dateStyle: "short" }).format(began);
}

/** A date some days on. */
export function dayAfter(date: string, days: number): string {
  const found = new Date(`${date}T00:00:00Z`);
  found.setUTCDate(found.getUTCDate() + days);
  return found.toISOString().slice(0, 10);
}

/** A time of a service date as RFC 3339 without offset, which the device reads on the venue's clock:
    what is before the day's beginning is of the next calendar day. */
export function onClock(venue: Venue, date: string, time: string): string {
  return `${time < (venue.day_starts_at ?? "00:00") ? dayAfter(date, 1) : date}T${time}`;
}

/** An instant on the clock of a venue, such as `2026-11-26T19:30`. */
export function wallOf(venue: Venue, at: number): string {
  const style = { timeZone: venue.time_zone, dateStyle: "short", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat("sv-SE", style).format(at).replace(" ", "T");
}

/** The offset of a time zone on a date, at noon: such as `+02:00`. */
export function offsetOf(timeZone: string, date: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "longOffset" }).formatToParts(new Date(`${date}T12:00:00Z`));
  const name = parts.find((one) => one.type === "timeZoneName")?.value ?? "";
  return /[+-]\d\d:\d\d/.exec(name)?.[0] ?? "+00:00";
}

/** The fields of a date as the browser tells them, as a time without an offset: `2026-11-26T19:30`. */
export function wallAt(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
