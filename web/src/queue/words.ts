// How an operation reads: what it did, how it stands, why, and what to do; and the same of the clock.

import type { ClockStatus, Schemas, SyncStatus } from "../api/client";
import { dateWords, t, timeOf } from "../words/index.svelte";

export type Operation = Schemas["Operation"];

/** The words under a key, or the code with blanks, so that nothing is ever hidden. */
function wordsOr(prefix: string, code: string): string {
  const key = `${prefix}.${code}` as const;
  const found = t(key);
  return found === key ? code.replaceAll(/[._-]/g, " ") : found;
}

export function didWords(one: Operation): string {
  const form = one.about?.form ?? "reservation";
  if (one.kind === "reservation.created" && form !== "reservation") return t(`op.made_${form}`);
  return wordsOr("op", one.kind);
}

export function whoWords(one: Operation): string {
  const about = one.about;
  if (!about) return one.subject || one.venue;
  const where = about.resources.length ? ` · ${about.resources.join(", ")}` : "";
  return `${about.name ?? one.subject} · ${dateWords(about.service_date)} ${timeOf(about.starts_at)}${where}`;
}

export const TONES: Record<string, string> = {
  queued: "warn", sent: "warn", deferred: "warn", quarantined: "bad", merged: "good", withdrawn: "",
};
export const SIGNS: Record<string, string> = {
  queued: "⇡", sent: "⇢", deferred: "◌", quarantined: "✕", merged: "✓", withdrawn: "–",
};

/** Why it waits. */
export function whyWords(one: Operation, sync: SyncStatus | null): string {
  if (one.state === "queued" || one.state === "sent") {
    if (sync?.state === "paused") return t("queue.why_paused");
    if (one.reason) return sentence(one.reason);
    if (sync && sync.state !== "connected") return sync.detail ? sentence(sync.detail) : t("queue.why_offline");
    return t("queue.why_soon");
  }
  if (one.state === "merged" && one.decision) {
    const why = one.decision.reason ? `: ${one.decision.reason}` : "";
    return `${t(`verdict.${one.decision.verdict}`)} (${one.decision.by})${why}`;
  }
  return one.reason ? sentence(one.reason) : "";
}

/** What a person does about it; empty: nothing needs to be done. */
export function todoWords(one: Operation, sync: SyncStatus | null): string {
  if (one.state === "queued" || one.state === "sent") {
    if (sync?.way_out.length) return t("queue.todo_way_out");
    return sync?.state === "paused" ? t("queue.todo_paused") : t("queue.todo_nothing");
  }
  if (one.state === "deferred") return t("queue.todo_deferred");
  if (one.state === "quarantined") return t("queue.todo_quarantined");
  return one.decision?.verdict === "displaced" ? t("queue.todo_displaced") : "";
}

/** In how many seconds it is tried again; null: with the next exchange. */
export function secondsTo(one: Operation, now: number): number | null {
  return one.next_attempt_at ? Math.max(0, Math.ceil((Date.parse(one.next_attempt_at) - now) / 1000)) : null;
}

export function sentence(text: string): string {
  const plain = text.trim();
  const begun = plain.charAt(0).toUpperCase() + plain.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** Milliseconds as a person says them. */
export function spanWords(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1_000) return t("span.ms", { n: Math.round(ms) });
  if (size < 120_000) return t("span.s", { n: Math.round(ms / 100) / 10 });
  if (size < 7_200_000) return t("span.min", { n: Math.round(ms / 60_000) });
  return t("span.h", { n: Math.round(ms / 360_000) / 10 });
}

export const resultWords = (source: ClockStatus["sources"][number]) => wordsOr("source", source.result);

/** The time of an instant in UTC on the screen's own clock, such as `19:30:05`. */
export function localTime(at: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" }).format(new Date(at));
}
