// How a reservation looks and reads at a desk: signs beside the colours, never colours alone.

import type { Reservation } from "../api/client";
import { dateWords, t, timeOf } from "../words/index.svelte";

export type Look = "booked" | "asked" | "here" | "gone" | "missed" | "failed" | "over";

const LOOKS: Record<string, Look> = {
  intent: "asked",
  payment_pending: "asked",
  payment_confirmed: "asked",
  commit_pending: "asked",
  commit_failed: "failed",
  confirmed: "booked",
  checked_in: "here",
  completed: "gone",
  no_show: "missed",
};
export const SIGNS: Record<Look, string> = {
  booked: "●", asked: "◌", here: "▶", gone: "✓", missed: "∅", failed: "✕", over: "–",
};

/** What it is: whom it is for, or a place that is only held or out of use. */
export type Sort = "guest" | "walk_in" | "house" | "hold" | "block";
export const SORTS: readonly Sort[] = ["guest", "walk_in", "house", "hold", "block"];
export const SORT_SIGNS: Record<Sort, string> = { guest: "◆", walk_in: "▲", house: "⌂", hold: "◔", block: "✕" };
export const sortOf = (one: Pick<Reservation, "kind">): Sort => (one.kind === "walk_in" || one.kind === "house" ? one.kind : "guest");

export const lookOf = (one: Pick<Reservation, "status">): Look => LOOKS[one.status] ?? "over";

/** Whether it takes its place still, so that it is drawn where it stands. */
export const stands = (one: Reservation) => !["cancelled", "expired", "no_show", "commit_failed"].includes(one.status);

/** Whether it can be moved by hand. */
export const movable = (one: Reservation) => ["confirmed", "commit_pending", "checked_in"].includes(one.status) && !one.pending_change;

export const nameOf = (one: Reservation): string => one.guest?.name || (one.kind === "walk_in" ? t("kind.walk_in") : one.code.slice(-6));

/** Its day with its times; of a stay its first and last day with the nights between. */
export function whenWords(one: Reservation): string {
  // From left to right in every script: a span of times is a number.
  if (!one.nights) return `${dateWords(one.service_date)} \u2066${timeOf(one.starts_at)}–${timeOf(one.ends_at)}\u2069`;
  return `${dateWords(one.service_date)} – ${dateWords(one.ends_at)}, ${t("field.n_nights", { n: one.nights })}`;
}

/** What a host may say to the guest now. */
export function tellOf(one: Reservation): string {
  if (one.status === "commit_failed") return t("tell.failed");
  if (one.pending_change) return t("tell.pending_change");
  return one.assurance === "none" ? "" : t(`tell.${one.assurance}`);
}
