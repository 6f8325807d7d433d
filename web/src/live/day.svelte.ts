// One service date of one venue, kept as the device tells its changes.

import { api, told, type Block, type Hold, type Reservation } from "../api/client";
import { everyPage } from "./pages";
import type { Stream } from "./stream";

/** Rows in one answer of a list, as the API bounds them. */
const PAGE = 500;
/** After which the cards are read of reservations that are new here, and of those that changed. */
const DETAILS_AFTER_MS = 700;
const CHANGED_AFTER_MS = 10_000;
const AGAIN_MS = 2_000;

type Keyed = { id: string };

export class Day {
  venue: string;
  date = $state("");
  reservations = $state.raw<ReadonlyMap<string, Reservation>>(new Map());
  blocks = $state.raw<ReadonlyMap<string, Block>>(new Map());
  holds = $state.raw<ReadonlyMap<string, Hold>>(new Map());
  /** One of another day that somebody looks at. */
  aside = $state.raw<Reservation | null>(null);
  loading = $state(true);
  /** When it was last known to be what the device holds. */
  readAt = $state(0);

  // What was told while somebody drags, or between two pictures, waits here: a list that changes
  // under the finger loses what it holds.
  #waiting: { event: string; data: Keyed }[] = [];
  #frozen = 0;
  #frame = 0;
  #details: ReturnType<typeof setTimeout> | undefined;
  #detailsAt = Infinity;
  #reading = 0;
  // While a list is under way, what is told is kept beside it: it may be newer than the list.
  #since: { event: string; data: Keyed }[] | null = null;
  // A list that came while nothing may change.
  #fresh: (() => void) | null = null;

  constructor(venue: string, date: string) {
    this.venue = venue;
    this.date = date;
  }

  follow(stream: Stream): () => void {
    const deaf = stream.listen(({ event, data }) => {
      if (event === "reset") void this.#readUntilRead();
      else if (event === "reservation" || event === "block" || event === "hold") this.#note(event, data as Keyed);
    });
    return () => {
      deaf();
      this.#reading += 1;
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#details);
    };
  }

  async show(date: string): Promise<void> {
    this.date = date;
    this.reservations = new Map();
    this.blocks = new Map();
    this.holds = new Map();
    await this.read();
  }

  /** A reservation that is known here, of this day or the one that was looked up. */
  find(id: string): Reservation | undefined {
    return this.reservations.get(id) ?? (this.aside?.id === id ? this.aside : undefined);
  }

  /** Look one up that may be of another day. */
  async lookUp(id: string): Promise<void> {
    if (this.find(id)) return;
    this.aside = await told(api.GET("/api/v1/reservations/{reference}", { params: { path: { reference: id } } }));
  }

  /** Read everything of the day anew. */
  async read(): Promise<void> {
    const turn = ++this.#reading;
    this.loading = this.reservations.size === 0;
    const { venue, date } = this;
    this.#since = [];
    const [reservations, blocks, holds] = await Promise.all([
      everyPage((cursor) => told(api.GET("/api/v1/reservations", { params: { query: { venue, date, limit: PAGE, cursor } } }))),
      everyPage((cursor) => told(api.GET("/api/v1/blocks", { params: { query: { venue, date, limit: PAGE, cursor } } }))),
      everyPage((cursor) => told(api.GET("/api/v1/holds", { params: { query: { venue, date, limit: PAGE, cursor } } }))),
    ]);
    if (turn !== this.#reading) return;
    this.#waiting = this.#since ?? [];
    this.#since = null;
    this.#fresh = () => {
      this.reservations = keyed(reservations as Reservation[]);
      this.blocks = keyed(blocks as Block[]);
      this.holds = keyed(holds as Hold[]);
      this.readAt = Date.now();
      this.loading = false;
    };
    if (this.#frozen === 0) this.#apply();
  }

  // A day that could not be read is not the day: it is asked for until it is there.
  async #readUntilRead(): Promise<void> {
    try {
      await this.read();
    } catch {
      this.#soonRead(AGAIN_MS);
    }
  }

  #soonRead(ms: number): void {
    // Never later than it was to be, or many changes would put it off for ever.
    if (Date.now() + ms >= this.#detailsAt) return;
    clearTimeout(this.#details);
    this.#detailsAt = Date.now() + ms;
    this.#details = setTimeout(() => {
      this.#detailsAt = Infinity;
      void this.#readUntilRead();
    }, ms);
  }

  /** Nothing changes on the screen until the returned function is called. */
  freeze(): () => void {
    this.#frozen += 1;
    let held = true;
    return () => {
      if (held) this.#frozen -= 1;
      held = false;
      this.#soon();
    };
  }

  /** An answer of the device to what was done here: it need not be waited for. */
  put(reservation: Reservation): void {
    // What is of another day now is still what somebody looks at.
    if (reservation.service_date !== this.date) this.aside = reservation;
    this.#note("reservation", reservation);
  }

  #note(event: string, data: Keyed): void {
    this.#waiting.push({ event, data });
    this.#since?.push({ event, data });
    this.#soon();
  }

  #soon(): void {
    if (this.#frozen === 0 && (this.#waiting.length > 0 || this.#fresh) && this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => this.#apply());
    }
  }

  #apply(): void {
    this.#frame = 0;
    if (this.#frozen > 0) return;
    this.#fresh?.();
    this.#fresh = null;
    const told_ = this.#waiting;
    this.#waiting = [];
    for (const one of told_) {
      if (one.data.id === this.aside?.id) this.aside = this.#withCard(one.data as Reservation, this.aside);
    }
    this.reservations = this.#merged(this.reservations, told_, "reservation");
    this.blocks = this.#merged(this.blocks, told_, "block");
    this.holds = this.#merged(this.holds, told_, "hold");
    this.readAt = Date.now();
  }

  #merged<T extends Keyed & { venue: string; service_date: string }>(
    old: ReadonlyMap<string, T>,
    told_: { event: string; data: Keyed }[],
    event: string,
  ): ReadonlyMap<string, T> {
    const mine = told_.filter((one) => one.event === event).map((one) => one.data as T);
    if (mine.length === 0) return old;
    const next = new Map(old);
    for (const one of mine) {
      const before = next.get(one.id);
      if (one.venue !== this.venue) continue;
      if (one.service_date !== this.date) next.delete(one.id);
      else next.set(one.id, this.#withCard(one, before));
    }
    return next;
  }

  // No guest's card is ever streamed: what is known stays, what is new is asked for, many at once.
  #withCard<T extends Keyed>(one: T, before: T | undefined): T {
    if (!("agent_id" in one) || "guest" in one) return one;
    const card = before && "guest" in before ? { guest: before.guest, visitor: "visitor" in before ? before.visitor : undefined } : {};
    this.#soonRead(before ? CHANGED_AFTER_MS : DETAILS_AFTER_MS);
    return { ...one, ...card };
  }
}

function keyed<T extends Keyed>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((one) => [one.id, one]));
}
