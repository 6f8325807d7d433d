// What a host does to a reservation, each said once, with a way back where there is one.

import { api, told, wordsOf, type Reservation, type Schemas } from "../api/client";
import type { Day } from "../live/day.svelte";
import { notices } from "../ui/notices.svelte";
import { dateWords, t, timeOf } from "../words/index.svelte";
import { withOthers } from "./instead";
import { nameOf } from "./looks";

export type Change = {
  starts_at?: string; ends_at?: string; nights?: number; resources?: string[]; party_size?: number; override?: Schemas["Override"];
};
const WAIT = "wait=3";
const at = (id: string) => ({ params: { path: { reference: id } } });

export class Actions {
  #day: Day;

  constructor(day: Day) {
    this.#day = day;
  }

  /** Throws after it has said what went wrong. */
  async move(one: Reservation, change: Change): Promise<void> {
    const length = one.nights ? { nights: one.nights } : { ends_at: one.ends_at };
    const back: Change = { starts_at: one.starts_at, ...length, resources: [...one.resources] };
    if (change.party_size) back.party_size = one.party_size;
    try {
      const now = await this.#patch(one.id, change);
      const where = (now.pending_change ?? now).resources.join(", ");
      const words = { who: nameOf(now), where, at: timeOf((now.pending_change ?? now).starts_at) };
      const on = (now.pending_change ?? now).starts_at.slice(0, 10);
      if (on !== one.starts_at.slice(0, 10)) words.at = `${dateWords(on)} ${words.at}`;
      if (now.pending_change) notices.say(t("said.asked_to_move", words));
      else notices.say(t("said.moved", words), async () => void (await this.#patch(one.id, back)));
    } catch (error) {
      notices.fail(withOthers(error, one.starts_at));
      throw error;
    }
  }

  async checkIn(one: Reservation, people?: number): Promise<void> {
    await this.#do(async () => {
      const body = people ? { actual_party_size: people } : {};
      this.#day.put(await told(api.POST("/api/v1/reservations/{reference}/check-in", { ...at(one.id), body })));
      notices.say(t("said.checked_in", { who: nameOf(one) }));
    });
  }

  async complete(one: Reservation): Promise<void> {
    await this.#do(async () => {
      this.#day.put(await told(api.POST("/api/v1/reservations/{reference}/complete", { ...at(one.id), body: {} })));
      notices.say(t("said.completed", { who: nameOf(one) }));
    });
  }

  async noShow(one: Reservation): Promise<void> {
    await this.#do(async () => {
      this.#day.put(await told(api.POST("/api/v1/reservations/{reference}/no-show", { ...at(one.id), body: {} })));
      notices.say(t("said.no_show", { who: nameOf(one) }), () => this.undoNoShow(one));
    });
  }

  async undoNoShow(one: Reservation): Promise<void> {
    await this.#do(async () => {
      const params = { path: { reference: one.id }, header: { Prefer: WAIT } };
      const now = await told(api.POST("/api/v1/reservations/{reference}/undo-no-show", { params, body: {} }));
      this.#day.put(now);
      // With the mark the place was given up: where it is somebody else's now, they sit elsewhere.
      const words = { who: nameOf(now), where: now.resources.join(" + "), at: timeOf(now.starts_at) };
      if (now.status === "commit_pending") notices.say(t("said.asked_to_move", words));
      else if (now.resources.join() !== one.resources.join()) notices.say(t("said.moved", words));
    });
  }

  async confirm(one: Reservation): Promise<void> {
    await this.#do(async () => {
      this.#day.put(await told(api.POST("/api/v1/reservations/{reference}/confirm", { ...at(one.id), body: {} })));
    });
  }

  async cancel(one: Reservation, by: "guest" | "venue"): Promise<void> {
    await this.#do(async () => {
      this.#day.put(await told(api.POST("/api/v1/reservations/{reference}/cancel", { ...at(one.id), body: { by, reason: "guest_request" } })));
      notices.say(t("said.cancelled", { who: nameOf(one) }));
    });
  }

  async #patch(id: string, change: Change): Promise<Reservation> {
    const params = { path: { reference: id }, header: { Prefer: WAIT } };
    const now = await told(api.PATCH("/api/v1/reservations/{reference}", { params, body: change }));
    this.#day.put(now);
    return now;
  }

  async #do(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      notices.fail(wordsOf(error));
      throw error;
    }
  }
}
