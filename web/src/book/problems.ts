// What went wrong, as a guest may read it, by its kind: the API's own sentences are for staff.

import { NoAnswer, Refused } from "../api/client";
import { t, type Word } from "../words/index.svelte";

const RULES: Record<string, Word> = {
  "cancel-cutoff": "book.problem.late",
  reschedules: "book.problem.changes",
  concurrent: "book.problem.many",
  rates: "book.problem.many",
  cutoff: "book.problem.time",
  past: "book.problem.time",
  hours: "book.problem.closed",
  closed: "book.problem.closed",
  blackouts: "book.problem.closed",
  "slot-override": "book.problem.time",
  pacing: "book.problem.time",
  seated: "book.problem.time",
  slot: "book.problem.time",
  advance: "book.problem.time",
  party: "book.problem.party",
  seats: "book.problem.party",
};
const KINDS: Record<string, Word> = {
  "not-available": "book.problem.gone",
  "not-found": "book.problem.not_found",
  "bad-transition": "book.problem.over",
  stale: "book.problem.stale",
  gone: "book.problem.lapsed",
  "rate-limited": "kiosk.problem.busy",
  invalid: "book.problem.invalid",
};

export function guestWords(error: unknown): string {
  if (error instanceof NoAnswer) return t("kiosk.problem.lost");
  if (!(error instanceof Refused)) return t("book.problem.house");
  if (error.name === "not-available" && error.body.reason === "blocked") return t("book.problem.blocked");
  const rule = error.body.violations?.map((one) => RULES[one.rule]).find(Boolean);
  return t(rule ?? KINDS[error.name] ?? "book.problem.house");
}
