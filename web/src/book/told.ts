// What a guest is told of what they reserved: the words of the guarantee, for the guest's own eyes.

import type { Reservation } from "../api/client";
import { lookOf } from "../desk/looks";
import { t } from "../words/index.svelte";

export type Told = { tone: "good" | "warn" | "bad" | ""; words: string };

/** Whether the place is theirs. */
export const isSure = (one: Reservation) => one.assurance === "guaranteed" || one.assurance === "admitted";

/** Whether anything is still to come of it. */
export const isOpen = (one: Reservation) => ["confirmed", "commit_pending", "checked_in"].includes(one.status);

/** Whether its guest may ask for another time, or call it off: what comes of it the device says. */
export const isMine = (one: Reservation) => one.status === "confirmed" || one.status === "commit_pending";

export function toldOf(one: Reservation): Told {
  if (one.status === "commit_failed" || one.lost_promise) return { tone: "bad", words: t("book.failed") };
  if (!isOpen(one)) return { tone: "", words: t(`status.${one.status}`) };
  if (lookOf(one) === "here") return { tone: "good", words: t("book.here") };
  if (one.pending_change) return { tone: "warn", words: t("book.pending_change") };
  if (one.approval === "pending" && isSure(one)) return { tone: "warn", words: t("book.approval") };
  if (one.assurance === "none") return { tone: "", words: "" };
  return { tone: isSure(one) ? "good" : "warn", words: t(`tell.${one.assurance}`) };
}
