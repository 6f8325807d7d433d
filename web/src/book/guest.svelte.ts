// The guest of this browser: who they are to the device, what they have reserved there, and whether
// the device answers. What is shown is what the device said last, and since when.

import { api, NoAnswer, Refused, setCsrf, told, whenSignedOut, type Answered, type Reservation, type Venue, type WaitingParty } from "../api/client";
import { everyPage } from "../live/pages";
import { session } from "../live/session.svelte";
import { Stream } from "../live/stream";
import { forget, keep, readKept } from "./kept";

/** `new`: not looked yet; `open`: all is well; `choose`: which house; `shut`: no guests here;
 * `other`: somebody of the house is logged in; `forgotten`: they wished to be nobody here. */
type State = "new" | "open" | "choose" | "shut" | "other" | "forgotten";

const SOON_MS = 200;
const AGAIN_MS = 3_000;
const PAGE = 200;
const MATTERS = new Set(["reservation", "waitlist", "reset"]);

class Guest {
  state = $state<State>("new");
  /** The device does not answer; what is shown was said at `at` (milliseconds). */
  lost = $state(false);
  at = $state(0);
  venue = $state.raw<Venue | null>(null);
  venues = $state.raw<readonly Venue[]>([]);
  reservations = $state.raw<readonly Reservation[]>([]);
  waiting = $state.raw<readonly WaitingParty[]>([]);

  #beginning: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stream = new Stream((alive) => this.#heard(alive));

  constructor() {
    this.#stream.listen(({ event, data }) => this.#told(event, data));
  }

  /** Look who this is, and what they have. Throws what is no refusal and no silence. */
  begin(): Promise<void> {
    if (this.state === "forgotten") return Promise.resolve();
    // Several that hear at once that a session is over begin one new one.
    this.#beginning ??= this.#begin().finally(() => (this.#beginning = null));
    return this.#beginning;
  }

  async #begin(): Promise<void> {
    this.#stream.close();
    whenSignedOut(() => undefined);
    try {
      await session.begin();
      if (session.state && session.state.role !== "guest") {
        this.state = "other";
        return;
      }
      if (!session.state && !(await this.#come())) return;
      if (!(await this.#readVenue())) return;
      whenSignedOut(() => void this.begin().catch((error) => this.#failed(error)));
      this.#stream.open();
      await this.#stream.begun();
      await this.read();
      this.state = "open";
      this.lost = false;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#showKept();
    }
  }

  /** Have no session any more. */
  async leave(): Promise<void> {
    whenSignedOut(() => undefined);
    this.#stream.close();
    await session.logOut();
  }

  /** Have no session, and nothing kept, and do not become somebody new before they say so. */
  async forget(): Promise<void> {
    await this.leave();
    clearTimeout(this.#timer);
    // Without a venue nothing is kept either of what was asked before and is answered only now.
    this.venue = null;
    this.reservations = this.waiting = [];
    this.state = "forgotten";
    await forget();
  }

  find(id: string): Reservation | undefined {
    return this.reservations.find((one) => one.id === id);
  }

  put(one: Reservation): void {
    this.reservations = sorted([...this.reservations.filter((other) => other.id !== one.id), one]);
    this.#keep();
  }

  soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.read().catch((error) => this.#failed(error)), SOON_MS);
  }

  async read(): Promise<void> {
    if (!this.venue) return;
    const venue = this.venue.venue;
    const [had, waits] = await Promise.all([
      everyPage((cursor) => told(api.GET("/api/v1/reservations", { params: { query: { venue, limit: PAGE, cursor } } }))),
      everyPage((cursor) => told(api.GET("/api/v1/waitlist", { params: { query: { venue, limit: PAGE, cursor } } }))),
    ]);
    if (this.venue?.venue !== venue) return;
    this.reservations = sorted(had);
    this.waiting = waits;
    this.lost = false;
    this.#keep();
  }

  // Without a session whoever comes is a new guest, where the house lets them.
  async #come(): Promise<boolean> {
    try {
      const body = { guest: true, ...(asked() && { venue: asked() }) };
      session.state = await told(api.POST("/api/v1/session", { body: body as never }));
      setCsrf(session.state?.csrf ?? null);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.state = "shut";
      return false;
    }
  }

  async #readVenue(): Promise<boolean> {
    const wanted = asked() || session.state?.venue;
    if (wanted) {
      this.venue = await told(api.GET("/api/v1/venues/{venue}", { params: { path: { venue: wanted } } }) as Promise<Answered<Venue>>);
      return true;
    }
    const all = (await told(api.GET("/api/v1/venues"))).items as unknown as Venue[];
    this.venues = all.filter((one) => one.accepting !== false);
    if (this.venues.length !== 1) this.state = this.venues.length ? "choose" : "shut";
    this.venue = this.venues[0] ?? null;
    return this.venues.length === 1;
  }

  #told(event: string, data: unknown): void {
    if (event === "venue" && (data as Venue).venue === this.venue?.venue) this.venue = data as Venue;
    if (MATTERS.has(event)) this.soon();
  }

  // Whether it is silent or only closed a connection, reading tells.
  #heard(alive: boolean): void {
    if (this.state === "open" && (!alive || this.lost)) this.soon();
  }

  #failed(error: unknown): void {
    if (!(error instanceof NoAnswer)) return; // The next news of the device bring it again.
    this.lost = true;
  }

  #keep(): void {
    this.at = Date.now();
    if (this.venue) keep({ at: this.at, venue: this.venue, reservations: this.reservations, waiting: this.waiting });
  }

  #showKept(): void {
    this.lost = true;
    const kept = readKept();
    // What another house said is not what this address asks for.
    const meant = kept && (!asked() || asked() === kept.venue.venue);
    if (kept && meant && this.state === "new") {
      [this.venue, this.reservations, this.waiting, this.at] = [kept.venue, kept.reservations, kept.waiting, kept.at];
      this.state = "open";
    }
    setTimeout(() => void this.begin().catch((error) => this.#failed(error)), AGAIN_MS);
  }
}

/** The venue that the address names. */
const asked = () => new URLSearchParams(location.search).get("venue") ?? "";

const sorted = (all: readonly Reservation[]) => [...all].sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at));

export const guest = new Guest();
