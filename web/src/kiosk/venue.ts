// What a venue offers, as a guest at its kiosk would say it.

import type { Venue } from "../api/client";
import { t } from "../words/index.svelte";

type Resource = Venue["resources"][number];

const KEYS_MAX = 8;
const MANY_MAX = 20;

/** The kinds of places that guests can have here, in the venue's order. */
export function kindsOf(venue: Venue): string[] {
  const had = venue.resources.filter((one) => one.active !== false && one.online !== false);
  return [...new Set(had.map((one) => one.kind))];
}

/** A kind in words; what counts people and is no table is called by its own names. */
export function kindWords(venue: Venue, kind: string): string {
  const key = `kiosk.kind.${kind}`;
  const words = t(key as `${string}.${string}`);
  if (words !== key) return words;
  if (kind === "pool") return venue.resources.filter((one) => one.kind === kind).map(calledBy).join(" · ");
  return kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll("_", " ");
}

/** The sizes of parties that have a key of their own, and those behind one more tap. */
export function sizesOf(venue: Venue): { few: number[]; many: number[] } {
  const { min_party: least, max_party: most } = venue.policies;
  const last = Math.min(most ?? MANY_MAX, MANY_MAX);
  const all = Array.from({ length: Math.max(0, last - least + 1) }, (_, at) => least + at);
  const few = all.length > KEYS_MAX ? KEYS_MAX - 1 : KEYS_MAX;
  return { few: all.slice(0, few), many: all.slice(few) };
}

/** Where somebody has to go, such as `T4, Garden`. */
export function placeWords(venue: Venue, resources: readonly string[]): string {
  const found = resources.map((id) => venue.resources.find((one) => one.id === id) ?? { id });
  const names = found.map(calledBy).join(" + ");
  const areas = [...new Set(found.map((one) => ("area" in one ? one.area : undefined)).filter(Boolean))];
  return [names, ...areas].join(", ");
}

const calledBy = (one: Pick<Resource, "id"> & { name?: string }): string => one.name ?? one.id;
