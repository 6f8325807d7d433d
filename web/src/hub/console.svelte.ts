// What the console watches: the fleet every few seconds while somebody looks, the venues when the hub
// tells that something of theirs changed, and now and then because time alone changes them too.

import { api, told, wordsOf, type Answered, type Schemas, type Venue } from "../api/client";
import { today } from "../desk/venue";
import { everyPage } from "../live/pages";
import type { Stream } from "../live/stream";
import type { FleetNode } from "./fleet";

type Figures = Pick<Schemas["VenueLine"], "utilisation" | "parties" | "covers">;
type Totals = Schemas["FloorTotals"];
export type Volume = Schemas["VenueVolume"];
export type VenueLine = Pick<Venue, "venue" | "name" | "kind" | "time_zone" | "day_starts_at">;

const EVERY_MS = 5_000;
/** The floors of many venues are asked for one after the other, and not every time. */
const FLOORS_EVERY_MS = 20_000;
/** Many changes of a venue make one question about it; the sums of a month are worth fewer. */
const CHANGED_AFTER_MS = 800;
const VOLUMES_EVERY_MS = 60_000;
const VOLUMES_AGAIN_MS = 5_000;

export class Console {
  nodes = $state.raw<readonly FleetNode[]>([]);
  venues = $state.raw<readonly VenueLine[]>([]);
  figures = $state.raw<ReadonlyMap<string, Figures>>(new Map());
  floors = $state.raw<ReadonlyMap<string, Totals>>(new Map());
  volumes = $state.raw<readonly Volume[]>([]);
  recovery = $state.raw<Schemas["Recovery"] | null>(null);
  readAt = $state(0);
  problem = $state("");

  #stopped = false;
  #floorsAt = 0;
  #volumesAt = 0;
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;

  /** Begin to look; the returned function ends it. */
  start(stream: Stream): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const round = async () => {
      if (document.visibilityState === "visible") await this.read();
      if (!this.#stopped) timer = setTimeout(() => void round(), EVERY_MS);
    };
    void round();
    const deaf = stream.listen(({ event, data }) => {
      if (event === "reset") this.#floorsAt = this.#volumesAt = 0;
      if (event === "reservation" || event === "block") this.#note((data as { venue: string }).venue);
    });
    return () => {
      this.#stopped = true;
      deaf();
      clearTimeout(timer);
      clearTimeout(this.#timer);
    };
  }

  async read(): Promise<void> {
    await this.#trying(async () => {
      this.recovery = await told(api.GET("/api/v1/hub/recovery"));
      this.nodes = await everyPage((cursor) => told(api.GET("/api/v1/nodes", { params: { query: { limit: 500, cursor } } })));
      if (this.venues.length === 0 || Date.now() - this.#floorsAt > FLOORS_EVERY_MS) await this.#readVenues();
      if (Date.now() - this.#volumesAt > VOLUMES_EVERY_MS) await this.#readVolumes();
      this.readAt = Date.now();
    });
  }

  async #trying(what: () => Promise<void>): Promise<void> {
    try {
      await what();
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
      await this.#readFloor(one.venue);
    }
  }

  async #readFloor(venue: string): Promise<void> {
    const floor = await told(api.GET("/api/v1/venues/{venue}/floor", { params: { path: { venue } } }));
    this.floors = new Map(this.floors).set(venue, floor.totals);
  }

  async #readVolumes(): Promise<void> {
    this.#volumesAt = Date.now();
    this.volumes = await everyPage((cursor) => told(api.GET("/api/v1/analytics/volume", { params: { query: { cursor } } })));
  }

  #note(venue: string): void {
    this.#changed.add(venue);
    this.#soon();
  }

  // What changed while the answers were under way is asked for once they are there.
  #soon(): void {
    if (this.#busy || this.#stopped || this.#changed.size === 0) return;
    this.#timer ??= setTimeout(() => void this.#readChanged(), CHANGED_AFTER_MS);
  }

  async #readChanged(): Promise<void> {
    this.#timer = undefined;
    this.#busy = true;
    const changed = this.venues.filter((one) => this.#changed.has(one.venue));
    this.#changed.clear();
    await this.#trying(async () => {
      for (const one of changed) {
        if (this.#stopped) return;
        const day = dateOf(one);
        const query = { venue: one.venue, from: day, to: day, format: "json" as const };
        const found = await told(api.GET("/api/v1/analytics/range", { params: { query } }) as Promise<Answered<Schemas["RangeFigures"]>>);
        const [figures] = found.days;
        if (figures) this.figures = new Map(this.figures).set(one.venue, figures);
        await this.#readFloor(one.venue);
      }
      if (Date.now() - this.#volumesAt > VOLUMES_AGAIN_MS) await this.#readVolumes();
      // Too soon to add up a month again: the next round does.
      else this.#volumesAt = 0;
    });
    this.#busy = false;
    this.#soon();
  }
}

/** The service date that a venue has now. */
export const dateOf = (one: VenueLine) => today(one as Venue, Date.now());
