// Who waits for a place on one service date, read anew when the device tells that somebody does.

import { api, told, type WaitingParty } from "../api/client";
import type { Stream } from "./stream";

const SOON_MS = 250;
const MATTERS = new Set(["waitlist", "reservation", "reset"]);
const MOST = 500;

export class Waitlist {
  parties = $state.raw<readonly WaitingParty[]>([]);
  loading = $state(true);
  /** Now, by the screen's clock, each second: offers run out while somebody looks. */
  now = $state(Date.now());

  #venue: string;
  #date = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  #onFail: (error: unknown) => void;

  constructor(venue: string, onFail: (error: unknown) => void) {
    this.#venue = venue;
    this.#onFail = onFail;
  }

  follow(stream: Stream): () => void {
    const deaf = stream.listen(({ event }) => MATTERS.has(event) && this.soon());
    const ticking = setInterval(() => (this.now = Date.now()), 1_000);
    return () => {
      deaf();
      clearInterval(ticking);
      clearTimeout(this.#timer);
    };
  }

  show(date: string): void {
    this.#date = date;
    void this.read();
  }

  soon(): void {
    this.#timer ??= setTimeout(() => void this.read(), SOON_MS);
  }

  async read(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const turn = ++this.#turn;
    try {
      const query = { venue: this.#venue, date: this.#date, limit: MOST };
      const list = await told(api.GET("/api/v1/waitlist", { params: { query } }));
      if (turn !== this.#turn) return;
      this.parties = list.items;
      this.loading = false;
    } catch (error) {
      this.#onFail(error);
    }
  }
}
