// The views of the desk: which there are, and which of them a session has something to see in.

import { session } from "../live/session.svelte";

/** In the order of the toolbar; the first are always in sight, the others stand in its menu. */
export const DAILY = ["grid", "list", "floor", "waitlist", "notes"] as const;
export const RARER = ["exceptions", "queue", "analytics", "settings"] as const;
export type View = (typeof DAILY)[number] | (typeof RARER)[number];

/** What a view is read by, where not every session that may open the desk has it. */
const NEEDS: Partial<Record<View, string>> = { notes: "notes.read", analytics: "analytics.read", floor: "tables.read", waitlist: "waitlist.read" };

export const KEYS: Record<View, string> = {
  grid: "1", list: "2", floor: "3", waitlist: "4", notes: "5", analytics: "6", settings: "7", exceptions: "e", queue: "q",
};

export function seen<Some extends View>(views: readonly Some[]): Some[] {
  return views.filter((one) => !NEEDS[one] || session.may(NEEDS[one]));
}

export const viewNamed = (name: string | undefined): View | undefined => seen([...DAILY, ...RARER]).find((one) => one === name);
