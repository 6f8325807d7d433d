// How a device of the fleet reads: whether it is heard, and what the hub holds against it.

import type { Schemas } from "../api/client";
import { agoWords, speaks, t } from "../words/index.svelte";

export type FleetNode = Schemas["FleetNode"];
type Seen = { sign: string; tone: "good" | "warn" | "bad"; text: string };

/** Whoever has no live channel and asks now and then is heard at least so often. */
const HEARD_MS = 60_000;

export function seenOf(one: FleetNode, now: number): Seen {
  if (one.connected) return { sign: "●", tone: "good", text: t("fleet.connected") };
  if (!one.last_seen_at) return { sign: "○", tone: "warn", text: t("fleet.never") };
  const at = Date.parse(one.last_seen_at);
  const ago = agoWords(at, now);
  if (now - at < HEARD_MS) return { sign: "◐", tone: "good", text: t("fleet.heard", { ago }) };
  return { sign: "○", tone: "warn", text: t("fleet.seen", { ago }) };
}

/** What there is about it, in words; empty for a sound device. */
export function concernsOf(one: FleetNode): string[] {
  return Object.entries(one.concerns)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => t(`concern.${kind}`, { n: count }));
}

/** What of a device went wrong at the hub: entries set aside, and deliveries refused. */
export const errorsOf = (one: FleetNode) => one.concerns.quarantined + one.concerns.refused;

/** Errors of all that arrived, such as `2 of 130 (1.5%)`. */
export function rateWords(errors: number, entries: number): string {
  const all = entries + errors;
  if (all === 0) return "–";
  const rate = new Intl.NumberFormat(speaks(), { style: "percent", maximumFractionDigits: 1 }).format(errors / all);
  return t("health.rate", { errors, all, rate });
}

/** The lives that go on, and those that ended with another one following. */
export function parted(nodes: readonly FleetNode[]): { standing: FleetNode[]; ended: FleetNode[]; revoked: FleetNode[] } {
  const newest = new Map<string, number>();
  const key = (one: FleetNode) => `${one.venue} ${one.name}`;
  for (const one of nodes) if (!one.revoked) newest.set(key(one), Math.max(newest.get(key(one)) ?? 0, one.number ?? 0));
  const followed = (one: FleetNode) => (one.number ?? 0) < (newest.get(key(one)) ?? 0);
  return {
    standing: nodes.filter((one) => !one.revoked && !followed(one)),
    ended: nodes.filter((one) => !one.revoked && followed(one)),
    revoked: nodes.filter((one) => one.revoked),
  };
}
