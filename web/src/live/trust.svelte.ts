// How far what the screen shows can be trusted: the way to the hub, the queue, the clock, the page's
// own way to its device.

import { api, told, type ClockStatus, type SyncStatus } from "../api/client";
import { Needs } from "./needs.svelte";
import type { Stream } from "./stream";

const CLOCK_EVERY_MS = 30_000;
/** How long after the last touch somebody counts as looking. */
const LOOKED_AT_MS = 5 * 60_000;

export class Trust {
  sync = $state.raw<SyncStatus | null>(null);
  clock = $state.raw<ClockStatus | null>(null);
  /** Whether the page hears its device; `lostAt`: since when not. */
  hears = $state(true);
  lostAt = $state<number | null>(null);
  needs: Needs;
  /** Now, by the screen's clock; moved on once in ten seconds, for what says how old something is. */
  now = $state(Date.now());

  #role: string;
  #touchedAt = Date.now();

  constructor(role: string, venue?: string) {
    this.#role = role;
    this.needs = new Needs(venue);
  }

  get exceptions(): number {
    return this.needs.items.length;
  }

  /** Whether there is a hub to be connected with, and there is no connection. */
  get alone(): boolean {
    return this.sync !== null && this.sync.hub !== null && this.sync.state !== "connected";
  }

  heard(alive: boolean): void {
    if (alive !== this.hears) {
      this.hears = alive;
      this.lostAt = alive ? null : Date.now();
      if (alive) void this.look();
    }
  }

  follow(stream: Stream): () => void {
    const needs = this.#role === "kiosk" ? undefined : this.needs.follow(stream);
    const deaf = stream.listen(({ event, data }) => {
      if (event === "sync") this.sync = data as SyncStatus;
      if (event === "queue" && this.sync) void this.#lookAtSync();
    });
    const ticking = setInterval(() => (this.now = Date.now()), 10_000);
    // A screen that nobody touches asks nothing, or its session would never be over.
    const noted = () => (this.#touchedAt = Date.now());
    addEventListener("pointerdown", noted, true);
    addEventListener("keydown", noted, true);
    const looking = setInterval(() => {
      if (Date.now() - this.#touchedAt < LOOKED_AT_MS) void this.#lookAtClock().catch(() => undefined);
    }, CLOCK_EVERY_MS);
    void this.look();
    return () => {
      deaf();
      needs?.();
      removeEventListener("pointerdown", noted, true);
      removeEventListener("keydown", noted, true);
      clearInterval(ticking);
      clearInterval(looking);
    };
  }

  async look(): Promise<void> {
    await Promise.allSettled([this.#lookAtSync(), this.#lookAtClock(), this.#lookAtExceptions()]);
  }

  async #lookAtSync(): Promise<void> {
    this.sync = await told(api.GET("/api/v1/sync"));
  }

  async #lookAtClock(): Promise<void> {
    this.clock = await told(api.GET("/api/v1/clock"));
  }

  async #lookAtExceptions(): Promise<void> {
    if (this.#role !== "kiosk") await this.needs.look();
  }
}
