// Where the tables stand on a plan, in the plan's own unit, and how large that is on the screen.

import type { Schemas } from "../../api/client";

export type TableState = Schemas["TableState"];
export type Party = Schemas["PartyAtTable"];
export type Spot = { x: number; y: number; w: number; h: number };
export type Plan = { width: number; height: number; spots: ReadonlyMap<string, Spot> };
/** A tab: a plan of the venue file, or what stands on none. `areas`: what has no position, by area. */
export type Tab = { id: string; name: string; plan: Plan | null; areas: readonly { name: string; tables: readonly TableState[] }[] };

/** The least that a name and a time can be read in, in pixels. */
const LEAST = { w: 100, h: 92 };
/** Of the distance to the nearest other table, where the venue file says no size. */
const SHARE = 0.8;
const ALONE = 100;

/** The floor in tabs: those of the venue file in its order, then whatever stands on none. */
export function tabsOf(floor: Schemas["Floor"], elsewhere: string): Tab[] {
  const known = new Set(floor.floors.map((one) => one.id));
  const tabs = floor.floors.map((one) => {
    const size = one.size as readonly [number, number] | undefined;
    return tabOf(one.id, one.name ?? one.id, floor.items.filter((table) => table.floor === one.id), size);
  });
  const rest = floor.items.filter((table) => table.floor === undefined || !known.has(table.floor));
  if (rest.length > 0 || tabs.length === 0) tabs.push(tabOf("", elsewhere, rest, undefined));
  return tabs;
}

function tabOf(id: string, name: string, tables: readonly TableState[], size: readonly [number, number] | undefined): Tab {
  const placed = tables.filter((one) => one.position);
  const areas = new Map<string, TableState[]>();
  for (const one of tables.filter((table) => !table.position)) {
    areas.set(one.area ?? "", [...(areas.get(one.area ?? "") ?? []), one]);
  }
  return {
    id, name,
    plan: placed.length > 0 ? planOf(placed, size) : null,
    areas: [...areas].map(([area, some]) => ({ name: area, tables: some })),
  };
}

function planOf(tables: readonly TableState[], size: readonly [number, number] | undefined): Plan {
  const usual = usualSize(tables);
  const spots = new Map<string, Spot>();
  for (const one of tables) {
    const [x, y] = one.position!;
    const [w, h] = one.size ?? [usual, usual];
    spots.set(one.id, { x, y, w, h });
  }
  const margin = usual / 4;
  const ends = [...spots.values()];
  return {
    width: Math.max(size?.[0] ?? 0, ...ends.map((one) => one.x + one.w + (size ? 0 : margin))),
    height: Math.max(size?.[1] ?? 0, ...ends.map((one) => one.y + one.h + (size ? 0 : margin))),
    spots,
  };
}

/** How large a table without a size is: as the smallest that has one, else as there is room for. */
function usualSize(tables: readonly TableState[]): number {
  const said = tables.flatMap((one) => one.size ?? []);
  if (said.length > 0) return Math.min(...said);
  let nearest = Infinity;
  for (const [index, one] of tables.entries()) {
    for (const other of tables.slice(index + 1)) {
      const [a, b] = [one.position!, other.position!];
      const apart = Math.max(Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1]));
      if (apart > 0) nearest = Math.min(nearest, apart);
    }
  }
  return nearest === Infinity ? ALONE : nearest * SHARE;
}

/** Pixels for one unit of a plan: all of it in sight where every table can be read then, else larger, and scrolled. */
export function scaleOf(plan: Plan, width: number, height: number): number {
  const spots = [...plan.spots.values()];
  const least = Math.max(LEAST.w / Math.min(...spots.map((one) => one.w)), LEAST.h / Math.min(...spots.map((one) => one.h)));
  return Math.max(Math.min(width / plan.width, height / plan.height), least);
}

/** A sign for each state, beside its colour. */
export const STATE_SIGNS: Record<TableState["state"], string> = {
  available: "○", reserved: "●", occupied: "▶", cleaning: "↻", blocked: "✕", inactive: "–",
};

/** Who a table is about now: who sits there, else who is due, else nobody. */
export const partyOf = (table: TableState): Party | undefined => table.party[0] ?? table.due[0];

/** The tables of a party that leaves one of them for another, or is given one. */
export function placesAfter(now: readonly string[], from: string, to: string): string[] {
  if (!from || !now.includes(from)) return [to];
  return [...new Set(now.map((id) => (id === from ? to : id)))];
}
