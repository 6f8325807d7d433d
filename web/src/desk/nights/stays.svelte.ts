// The stays and blocks that touch some days of a venue that sells nights, read anew as the device tells changes.

import { api, told, type Block, type Reservation } from "../../api/client";
import { everyPage } from "../../live/pages";
import type { Stream } from "../../live/stream";
import { dayAfter } from "../venue";

const SOON_MS = 250;
const PAGE = 500;
const MATTERS = new Set(["reservation", "block", "reset"]);

/** Something that lies on nights of a resource: the night of a date is the one that begins on it. */
export type Lying = { id: string; resource: string; quantity: number; first: string; end: string; reservation?: Reservation; block?: Block };
/** A bar in a row: from the column `at` on, over `span` of them; `before` and `after`: it goes on beyond the days shown. */
export type Bar = Lying & { at: number; span: number; before: boolean; after: boolean };

export class Stays {
  lying = $state.raw<readonly Lying[]>([]);

  #venue: string;
  #longest: number;
  #first = "";
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  #onFail: (error: unknown) => void;

  /** `longest`: nights of a stay, at most; what began so long ago may still be here. */
  constructor(venue: string, longest: number, onFail: (error: unknown) => void) {
    this.#venue = venue;
    this.#longest = longest;
    this.#onFail = onFail;
  }

  follow(stream: Stream): () => void {
    const deaf = stream.listen(({ event }) => MATTERS.has(event) && this.#soon());
    return () => {
      deaf();
      clearTimeout(this.#timer);
    };
  }

  /** Show so many days from a date on. */
  show(first: string, count: number): void {
    this.#first = first;
    this.#count = count;
    void this.#read();
  }

  // Once for many changes.
  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, SOON_MS);
  }

  async #read(): Promise<void> {
    const turn = ++this.#turn;
    const from = `${dayAfter(this.#first, -this.#longest)}T00:00`;
    const to = `${dayAfter(this.#first, this.#count)}T00:00`;
    const query = { venue: this.#venue, from, to, limit: PAGE };
    try {
      const [reservations, blocks] = await Promise.all([
        everyPage((cursor) => told(api.GET("/api/v1/reservations", { params: { query: { ...query, cursor } } }))),
        everyPage((cursor) => told(api.GET("/api/v1/blocks", { params: { query: { ...query, cursor } } }))),
      ]);
      if (turn !== this.#turn) return;
      this.lying = [...(reservations as Reservation[]).flatMap(ofReservation), ...(blocks as Block[]).flatMap(ofBlock)];
    } catch (error) {
      this.#onFail(error);
    }
  }
}

const OVER = ["cancelled", "expired", "no_show", "commit_failed"];

function ofReservation(one: Reservation): Lying[] {
  if (OVER.includes(one.status)) return [];
  const places = one.claims.length ? one.claims : one.resources.map((resource) => ({ resource, quantity: 1 }));
  return places.map(({ resource, quantity }) => ({
    id: `${one.id} ${resource}`, resource, quantity, first: one.service_date, end: one.ends_at.slice(0, 10), reservation: one,
  }));
}

function ofBlock(one: Block): Lying[] {
  if (one.status === "cancelled") return [];
  return one.resources.map((resource) => ({
    id: `${one.id} ${resource}`, resource, quantity: 1, first: one.service_date, end: one.ends_at.slice(0, 10), block: one,
  }));
}

/** Bars in rows, none over another, for the days from `days[0]` on. */
export function rowsOf(lying: readonly Lying[], days: readonly string[]): Bar[][] {
  const [begin, end] = [days[0]!, dayAfter(days[days.length - 1]!, 1)];
  const rows: Bar[][] = [];
  const inSight = lying.filter((one) => one.first < end && lastDay(one) > begin).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : a.id < b.id ? -1 : 1));
  for (const one of inSight) {
    const at = one.first < begin ? 0 : days.indexOf(one.first);
    const until = lastDay(one) > end ? days.length : days.indexOf(lastDay(one)) === -1 ? days.length : days.indexOf(lastDay(one));
    const bar = { ...one, at, span: until - at, before: one.first < begin, after: lastDay(one) > end };
    const row = rows.find((some) => some.every((other) => other.at + other.span <= at));
    if (row) row.push(bar);
    else rows.push([bar]);
  }
  return rows;
}

/** How much of a resource is taken in the night of a date. */
export const takenOn = (lying: readonly Lying[], date: string): number =>
  lying.reduce((sum, one) => (one.first <= date && date < lastDay(one) ? sum + one.quantity : sum), 0);

// What ends on the day that it began on, such as a day's use, lies on that day.
const lastDay = (one: Lying) => (one.end > one.first ? one.end : dayAfter(one.first, 1));
