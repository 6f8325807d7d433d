// The key figures in the words of the page: what they mean stands in docs/numbers.md, what they are the device works out.

import type { Schemas } from "../../api/client";
import { speaks, t } from "../../words/index.svelte";

export type Figures = Schemas["RangeFigures"];

const NONE = "–";

/** Such as `12 %`; of nothing: a dash. */
export const rateWords = (rate: number | null): string =>
  rate === null ? NONE : new Intl.NumberFormat(speaks(), { style: "percent", maximumFractionDigits: 1 }).format(rate);

const number = (value: number) => new Intl.NumberFormat(speaks(), { maximumFractionDigits: 1 }).format(value);

/** Minutes in what is read best: minutes, hours or days. */
export function spanWords(minutes: number | null): string {
  if (minutes === null) return NONE;
  if (minutes < 120) return t("span.min", { n: number(minutes) });
  return minutes < 2_880 ? t("span.h", { n: number(minutes / 60) }) : t("span.days", { n: number(minutes / 1_440) });
}

/** The figures at a glance: name, number, and what belongs to it. */
export function glance(all: Figures): { key: string; value: string; more: string }[] {
  return [
    { key: "covers", value: number(all.covers.booked), more: t("figure.covers_more", { parties: all.parties.booked, seated: all.covers.seated }) },
    { key: "utilisation", value: rateWords(all.utilisation.rate), more: t("figure.utilisation_more") },
    { key: "no_shows", value: number(all.no_shows.parties), more: t("figure.rate_more", { rate: rateWords(all.no_shows.rate) }) },
    { key: "cancellations", value: number(all.cancellations.total), more: t("figure.cancellations_more", { late: all.cancellations.late, house: all.cancellations.by_venue }) },
    { key: "lead", value: spanWords(all.lead_minutes.median), more: t("figure.mean", { span: spanWords(all.lead_minutes.mean) }) },
    { key: "turn", value: spanWords(all.turn_minutes.median), more: t("figure.planned", { span: spanWords(all.turn_minutes.planned_median) }) },
    { key: "walk_ins", value: number(all.walk_ins.parties), more: t("need.people", { n: all.walk_ins.covers }) },
    { key: "repeats", value: number(all.repeats.parties), more: t("figure.came_more", { rate: rateWords(all.repeats.rate) }) },
    { key: "waitlist", value: number(all.waitlist.joined), more: t("figure.waitlist_more", { accepted: all.waitlist.accepted, rate: rateWords(all.waitlist.conversion) }) },
  ];
}
