// The notes of a service as they are typed: saved by themselves, merged with what others write.

import { api, Refused, tagged, type Schemas } from "../../api/client";
import type { Stream } from "../../live/stream";
import { carried } from "./merging";

const SAVE_AFTER_MS = 600;
const LOOK_AFTER_MS = 250;
type Known = { text: string; tag: string };

export class Notes {
  text = $state("");
  shown = $state.raw<Schemas["ServiceNotes"] | null>(null);
  /** Whether what stands here is not at the device yet. */
  unsaved = $state(false);
  /** Others' words came while this was open. */
  arrived = $state(false);
  problem = $state<unknown>(null);

  #venue: string;
  #date = "";
  // What was last agreed with the device; null: nothing was read yet.
  #known: Known | null = null;
  #saving: Promise<void> | null = null;
  #saves = 0;
  #saveSoon: ReturnType<typeof setTimeout> | undefined;
  #lookSoon: ReturnType<typeof setTimeout> | undefined;

  constructor(venue: string) {
    this.#venue = venue;
  }

  follow(stream: Stream): () => void {
    const deaf = stream.listen(({ event }) => {
      if (event === "venue" || event === "reset") this.#lookSoon ??= setTimeout(() => void this.#look(), LOOK_AFTER_MS);
    });
    return () => {
      deaf();
      clearTimeout(this.#lookSoon);
      void this.save();
    };
  }

  async show(date: string): Promise<void> {
    await this.save();
    this.#date = date;
    this.#known = null;
    this.text = "";
    this.unsaved = this.arrived = false;
    await this.#look();
  }

  typed(text: string): void {
    this.text = text;
    this.unsaved = true;
    this.arrived = false;
    clearTimeout(this.#saveSoon);
    this.#saveSoon = setTimeout(() => void this.save(), SAVE_AFTER_MS);
  }

  /** Hand over what was typed. What is typed meanwhile follows by itself. */
  async save(): Promise<void> {
    clearTimeout(this.#saveSoon);
    while (this.#saving) await this.#saving;
    if (!this.unsaved || !this.#known) return;
    this.#saves += 1;
    this.#saving = this.#put(this.#known);
    await this.#saving;
    this.#saving = null;
  }

  async #put(known: Known): Promise<void> {
    const sent = this.text;
    const date = this.#date;
    try {
      const params = { path: { venue: this.#venue, date }, header: { "If-Match": known.tag } };
      const { told, tag } = await tagged(api.PUT("/api/v1/venues/{venue}/notes/{date}", { params, body: { text: sent } }));
      if (date !== this.#date) return;
      this.problem = null;
      this.unsaved = this.text !== sent;
      this.#take(told, tag, sent);
      if (this.unsaved) this.typed(this.text);
    } catch (error) {
      this.problem = error;
      // The state that was edited is not known any more, such as after the notes were cleared.
      if (error instanceof Refused && error.name === "stale") this.#lookSoon ??= setTimeout(() => void this.#look(), LOOK_AFTER_MS);
    }
  }

  async #look(): Promise<void> {
    this.#lookSoon = undefined;
    while (this.#saving) await this.#saving;
    const date = this.#date;
    const saves = this.#saves;
    try {
      const params = { path: { venue: this.#venue, date } };
      const { told, tag } = await tagged(api.GET("/api/v1/venues/{venue}/notes/{date}", { params }));
      if (date !== this.#date) return;
      // What was read before a save is older than what the save was answered.
      if (saves !== this.#saves) return void (this.#lookSoon ??= setTimeout(() => void this.#look(), LOOK_AFTER_MS));
      this.problem = null;
      this.#take(told, tag, this.#known?.text ?? this.text);
    } catch (error) {
      this.problem = error;
    }
  }

  // `base` is the text that what stands here was typed on, as the device was told of it.
  #take(shown: Schemas["ServiceNotes"], tag: string, base: string): void {
    if (this.#known && shown.text !== base) this.arrived = true;
    this.text = this.#known ? carried(base, this.text, shown.text) : shown.text;
    this.#known = { text: shown.text, tag };
    this.shown = shown;
  }
}
