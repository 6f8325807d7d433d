// What a person must look at, as the device tells it: read whole, and again when something of it changes.

import { api, told, type NeedsPerson, type Reservation, type Schemas } from "../api/client";
import { everyPage } from "./pages";
import type { Stream } from "./stream";

/** An exception; with what newer devices say of it beside. */
export type Need = NeedsPerson & {
  promised?: boolean;
  lost_promise?: { words: string } | null;
  starts_at?: string;
  party_size?: number;
  resources?: readonly string[];
  guest?: Schemas["GuestCard"];
};

const SOON_MS = 150;
/** However much is told, the whole list with its cards is read no more often than this. */
const BETWEEN_MS = 2_000;
/** What no event tells of, such as a second history of a device, is found out by looking. */
const EVERY_MS = 30_000;
const PAGE = 500;

export class Needs {
  items = $state.raw<readonly Need[]>([]);
  known = $state(false);

  #venue: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #quarantined = -1;
  #turn = 0;
  #lookedAt = -Infinity;
  #looking = 0;
  #stale = false;
  #gone = false;

  /** Of one venue; left out: of all that this device knows. */
  constructor(venue?: string) {
    this.#venue = venue;
  }

  follow(stream: Stream): () => void {
    const deaf = stream.listen(({ event, data }) => {
      if (event === "exception" || event === "reset") this.#soon();
      if (event === "reservation" && this.#concerns(data as Reservation)) this.#soon();
      if (event === "queue" && this.#isNew(data as { counts: Schemas["QueueCounts"] })) this.#soon();
    });
    const looking = setInterval(() => this.#soon(), EVERY_MS);
    this.#gone = false;
    return () => {
      deaf();
      clearInterval(looking);
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#gone = true;
    };
  }

  /** Look at once. Throws Refused, NoAnswer. */
  async look(): Promise<void> {
    const turn = ++this.#turn;
    this.#stale = false;
    this.#looking += 1;
    let found: readonly NeedsPerson[];
    try {
      found = await everyPage((cursor) =>
        told(api.GET("/api/v1/exceptions", { params: { query: { venue: this.#venue, limit: PAGE, cursor } } })),
      );
    } finally {
      this.#looking -= 1;
      this.#lookedAt = Date.now();
      if (this.#stale) this.#soon();
    }
    if (turn !== this.#turn) return;
    // What was promised and lost first, as the device sorts it too; the rest stays in its order.
    this.items = ([...found] as Need[]).sort((a, b) => Number(b.promised ?? false) - Number(a.promised ?? false));
    this.known = true;
  }

  #concerns(one: Reservation): boolean {
    return (one.exceptions ?? []).length > 0 || this.items.some((item) => item.id.startsWith(one.id));
  }

  #isNew(news: { counts: Schemas["QueueCounts"] }): boolean {
    const before = this.#quarantined;
    this.#quarantined = news.counts.quarantined;
    return before !== -1 && before !== this.#quarantined;
  }

  // Many changes come at once after a cut: one look for all of them, and while they go on one now and
  // then, never two at a time. What fails is looked at again when the device is heard again.
  #soon(): void {
    this.#stale = true;
    if (this.#timer !== undefined || this.#looking > 0 || this.#gone) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.look().catch(() => undefined);
      },
      Math.max(SOON_MS, this.#lookedAt + BETWEEN_MS - Date.now()),
    );
  }
}
