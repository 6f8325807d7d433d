// What went wrong, as a guest may read it: nothing that only staff understands.

import { NoAnswer, Refused } from "../api/client";
import { t } from "../words/index.svelte";
import { way } from "./way.svelte";

/** What a guest is told; the page itself notices a session that is over. */
export function guestWords(error: unknown): string {
  if (error instanceof NoAnswer) return t("kiosk.problem.lost");
  if (!(error instanceof Refused)) return t("kiosk.problem.desk");
  if (error.status === 401) way.over = true;
  if (error.name === "not-found") return t("kiosk.problem.not_found");
  if (error.name === "not-available" && error.body.reason === "blocked") return t("kiosk.problem.blocked");
  if (error.name === "not-available") return t("kiosk.problem.gone");
  if (error.name === "rate-limited") return t("kiosk.problem.busy");
  if (error.body.violations?.some((one) => one.rule === "check-in")) return t("kiosk.problem.check_in");
  return t("kiosk.problem.desk");
}
