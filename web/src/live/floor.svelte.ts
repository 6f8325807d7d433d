// How the tables of one venue stand, read anew when the device tells of a change that may matter.

import { api, told, type Answered, type Schemas } from "../api/client";
import type { Stream } from "./stream";

const SOON_MS = 250;
// Time alone changes a floor: who is due shows at their table an hour before.
const AGAIN_MS = 30_000;
const MATTERS = new Set(["reservation", "block", "venue", "reset"]);

export class FloorNow {
  floor = $state.raw<Schemas["Floor"] | null>(null);

  #venue: string;
  /** A time of the venue without offset; undefined: now, by the device's clock. */
  #at: string | undefined;
  #frozen = 0;
  #stale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  #onFail: (error: unknown) => void;

  constructor(venue: string, onFail: (error: unknown) => void) {
    this.#venue = venue;
    this.#onFail = onFail;
  }

  follow(stream: Stream): () => void {
    const deaf = stream.listen(({ event }) => MATTERS.has(event) && this.soon());
    const again = setInterval(() => this.soon(), AGAIN_MS);
    return () => {
      deaf();
      clearInterval(again);
      clearTimeout(this.#timer);
    };
  }

  /** Show another instant. */
  show(at: string | undefined): void {
    this.#at = at;
    void this.#read();
  }

  /** Read it anew, once for many changes. */
  soon(): void {
    this.#stale = true;
    if (this.#frozen > 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, SOON_MS);
  }

  /** Nothing changes on the screen until the returned function is called. */
  freeze(): () => void {
    this.#frozen += 1;
    let held = true;
    return () => {
      if (held) this.#frozen -= 1;
      held = false;
      if (this.#stale) this.soon();
    };
  }

  async #read(): Promise<void> {
    const turn = ++this.#turn;
    this.#stale = false;
    const params = { path: { venue: this.#venue }, query: { at: this.#at } };
    try {
      const floor = await told(api.GET("/api/v1/venues/{venue}/floor", { params }) as Promise<Answered<Schemas["Floor"]>>);
      if (turn !== this.#turn) return;
      if (this.#frozen > 0) this.#stale = true;
      else this.floor = floor;
    } catch (error) {
      this.#onFail(error);
    }
  }
}
