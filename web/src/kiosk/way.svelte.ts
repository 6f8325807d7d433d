// How far this screen can promise, and whether it may still ask: looked at all the time.

import { api, NoAnswer, Refused, told } from "../api/client";
import { session } from "../live/session.svelte";

const EVERY_MS = 5_000;

class Way {
  /** `alone`: the device hears nobody else; `shut`: nobody hears it; `lost`: it does not answer the page. */
  state = $state<"connected" | "alone" | "shut" | "lost">("connected");
  /** The session is over: staff have to log the screen in again. */
  over = $state(false);

  follow(): () => void {
    const looking = setInterval(() => void this.look(), EVERY_MS);
    void this.look();
    return () => clearInterval(looking);
  }

  async look(): Promise<void> {
    try {
      if (this.over) {
        await session.begin();
        this.over = session.state?.role !== "kiosk";
      }
      if (this.over) return;
      const sync = await told(api.GET("/api/v1/sync"));
      if (sync.reason) this.state = "shut";
      else this.state = sync.hub === null || sync.state === "connected" ? "connected" : "alone";
    } catch (error) {
      if (error instanceof NoAnswer) this.state = "lost";
      // Any other refusal, such as of too many requests, says nothing new of the way.
      else if (error instanceof Refused) this.over = error.status === 401;
      else throw error;
    }
  }
}

export const way = new Way();
