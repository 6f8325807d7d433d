// What a guest's own telephone keeps of them, to be read without a network: what they reserved, and
// where. Names and numbers stay out: whoever reads it here knows their own.

import type { Reservation, Venue, WaitingParty } from "../api/client";

export type Kept = { at: number; venue: Venue; reservations: readonly Reservation[]; waiting: readonly WaitingParty[] };

const PLACE = "holdfast.book";
const LANGUAGE = "holdfast.book.language";

export function keep(kept: Kept): void {
  write(PLACE, JSON.stringify({ ...kept, reservations: kept.reservations.map(bare), waiting: kept.waiting.map(bare) }));
}

/** What was kept last; null: nothing, or what an older page wrote. */
export function readKept(): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "null") as Kept | null;
    return found && typeof found.at === "number" && Array.isArray(found.reservations) && found.venue ? found : null;
  } catch {
    return null;
  }
}

export const keepLanguage = (code: string) => write(LANGUAGE, code);

export function keptLanguage(): string {
  try {
    return localStorage.getItem(LANGUAGE) ?? "";
  } catch {
    return "";
  }
}

/** Nothing of anybody is left on this device. */
export async function forget(): Promise<void> {
  try {
    localStorage.removeItem(PLACE);
    localStorage.removeItem(LANGUAGE);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
  const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all(workers.map((one) => one.unregister()));
  for (const name of (await globalThis.caches?.keys()) ?? []) await caches.delete(name);
}

/** Let the page be read without a network: where browsers let it, over TLS or on the device itself. */
export function keepPage(): void {
  // Without a worker everything works but the reading offline.
  navigator.serviceWorker?.register("/book-worker.js", { scope: "/book" }).catch(() => undefined);
}

function bare<One extends { guest?: unknown }>(one: One): Omit<One, "guest"> {
  const { guest: _, ...rest } = one;
  return rest;
}

function write(place: string, text: string): void {
  try {
    localStorage.setItem(place, text);
  } catch {
    // Full or forbidden: then nothing is read offline, and everything else works.
  }
}
