// What the console watches: read every few seconds while somebody looks, one question at a time.

import { api, told, wordsOf, type Answered, type Schemas, type Venue } from "../api/client";
import { everyPage } from "../live/day.svelte";
import { today } from "../desk/venue";
import type { FleetNode } from "./fleet";

type Figures = Schemas["VenueLine"];
type Totals = Schemas["FloorTotals"];
export type VenueLine = Pick<Venue, "venue" | "name" | "kind" | "time_zone" | "day_starts_at">;

const EVERY_MS = 5_000;
/** The floors of many venues are asked for one after the other, and not every time. */
const FLOORS_EVERY_MS = 20_000;

export class Console {
  nodes = $state.raw<readonly FleetNode[]>([]);
  venues = $state.raw<readonly VenueLine[]>([]);
  figures = $state.raw<ReadonlyMap<string, Figures>>(new Map());
  floors = $state.raw<ReadonlyMap<string, Totals>>(new Map());
  recovery = $state.raw<Schemas["Recovery"] | null>(null);
  readAt = $state(0);
  problem = $state("");

  #stopped = false;
  #floorsAt = 0;

  /** Begin to look; the returned function ends it. */
  start(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const round = async () => {
      if (document.visibilityState === "visible") await this.read();
      if (!this.#stopped) timer = setTimeout(() => void round(), EVERY_MS);
    };
    void round();
    return () => {
      this.#stopped = true;
      clearTimeout(timer);
    };
  }

  async read(): Promise<void> {
    try {
      this.recovery = await told(api.GET("/api/v1/hub/recovery"));
      this.nodes = await everyPage((cursor) => told(api.GET("/api/v1/nodes", { params: { query: { limit: 500, cursor } } })));
      if (this.venues.length === 0 || Date.now() - this.#floorsAt > FLOORS_EVERY_MS) await this.#readVenues();
      this.readAt = Date.now();
      this.problem = "";
    } catch (error) {
      this.problem = wordsOf(error);
    }
  }

  async #readVenues(): Promise<void> {
    this.#floorsAt = Date.now();
    const found = await everyPage((cursor) => told(api.GET("/api/v1/venues", { params: { query: { limit: 500, cursor } } })));
    this.venues = found.map(({ venue, name, kind, time_zone, day_starts_at }) => ({ venue, name, kind, time_zone, day_starts_at }));
    // One answer has the figures of all venues; where it is tomorrow already, another one.
    const dates = new Set(this.venues.map((one) => dateOf(one)));
    const figures = new Map<string, Figures>();
    for (const date of dates) {
      const lines = await everyPage((cursor) =>
        told(api.GET("/api/v1/analytics/venues", { params: { query: { from: date, to: date, format: "json", cursor } } }) as Promise<Answered<Schemas["VenueFigures"]>>),
      );
      for (const line of lines) {
        if (this.venues.some((one) => one.venue === line.venue && dateOf(one) === date)) figures.set(line.venue, line);
      }
    }
    this.figures = figures;
    for (const one of this.venues) {
      if (this.#stopped) return;
      const floor = await told(api.GET("/api/v1/venues/{venue}/floor", { params: { path: { venue: one.venue } } }));
      this.floors = new Map(this.floors).set(one.venue, floor.totals);
    }
  }
}

/** The service date that a venue has now. */
export const dateOf = (one: VenueLine) => today(one as Venue, Date.now());
