// When a screen that somebody has left forgets them. Instants are milliseconds of a clock that never
// goes back.

/** Nobody has touched it for so long: it asks whether anybody is there. */
export const QUIET_MS = 45_000;
/** It asks for so long. */
export const ASKING_MS = 10_000;
/** What is done need not be asked about. */
export const DONE_MS = 20_000;

/** Whole seconds until it starts over, 0: now; and whether it asks. `done`: there is nothing more to do. */
export function idleAt(touched: number, now: number, done: boolean): { seconds: number; asks: boolean } {
  const left = touched + (done ? DONE_MS : QUIET_MS + ASKING_MS) - now;
  return { seconds: Math.max(0, Math.ceil(left / 1000)), asks: !done && left <= ASKING_MS };
}
