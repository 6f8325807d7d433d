// What is free instead of what was refused, in the sentence that says so.

import { Refused, wordsOf } from "../api/client";
import { t, whenOf } from "../words/index.svelte";

/** Why something was refused, and the times that are free instead; those of another date with it. */
export function withOthers(error: unknown, date: string): string {
  const near = error instanceof Refused ? (error.body.alternatives ?? error.body.suggestions ?? []) : [];
  const times = [...new Set(near.map((one) => whenOf(one.starts_at, date)))];
  return times.length ? `${wordsOf(error).replace(/\.$/, "")}. ${t("book.instead")}: ${times.join(" · ")}` : wordsOf(error);
}
