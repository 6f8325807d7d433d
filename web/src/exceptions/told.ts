// How an exception reads: its kind and its actions in words, and whom it concerns.

import type { Reservation } from "../api/client";
import type { Need } from "../live/needs.svelte";
import { dateWords, t, timeOf } from "../words/index.svelte";

/** A kind or an action that has no words here is shown as it is, with blanks. */
function wordsOr(prefix: string, code: string): string {
  const key = `${prefix}.${code}` as const;
  const found = t(key);
  if (found !== key) return found;
  const plain = code.replaceAll(/[_-]/g, " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export const kindWords = (kind: string) => wordsOr("need", kind);
export const actionWords = (action: string) => wordsOr("act", action);

/** The id of the reservation, where one raised it. */
export const reservationOf = (one: Need): string | null => (one.code ? (one.id.split(".")[0] ?? null) : null);

/** Without commands to type: here are buttons for that. */
export const plainly = (detail: string) => detail.replaceAll(/ ?\(`[^`]*`\)/g, "");

/** Who, when, how many, where, as far as it is known. */
export function concerned(one: Need, read: Reservation | null | undefined): { who: string; facts: string[] } {
  const startsAt = one.starts_at ?? read?.starts_at;
  const party = one.party_size ?? read?.party_size;
  const places = one.resources ?? read?.resources ?? [];
  const guest = one.guest ?? read?.guest;
  const facts: string[] = [];
  if (startsAt) facts.push(`${dateWords(one.service_date ?? startsAt)} ${timeOf(startsAt)}`);
  else if (one.service_date) facts.push(dateWords(one.service_date));
  if (party) facts.push(t("need.people", { n: party }));
  if (places.length) facts.push(places.join(", "));
  if (guest?.phone) facts.push(guest.phone);
  return { who: guest?.name || one.code || one.subject, facts };
}
