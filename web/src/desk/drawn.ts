// Which cards of the grid change, so that all others stay the elements that they are: the calendar
// draws anew whatever it is given anew, and a card that is drawn anew loses the finger on it.

import type { Calendar } from "@event-calendar/core";

/** What a card shows: plain values, and in `extendedProps` what the device said, which is another object where it changed. */
export interface Card {
  id: string;
  extendedProps: Record<string, unknown>;
  [field: string]: unknown;
}

/** Changes in one go from which on giving the calendar everything is less work. */
const MANY = 40;

export class Drawn {
  #shown = new Map<string, Card | null>();

  /** Cards that somebody dropped, and of how many such wishes the answer is awaited. */
  #awaited = new Map<string, number>();

  /** Leave a card where it was dropped. What is returned ends that: then it is drawn as it is told. */
  leave(id: string): () => void {
    this.#awaited.set(id, (this.#awaited.get(id) ?? 0) + 1);
    return () => {
      const others = this.#awaited.get(id)! - 1;
      if (others) this.#awaited.set(id, others);
      else this.#awaited.delete(id);
      if (this.#shown.has(id)) this.#shown.set(id, null);
    };
  }

  /** Make the calendar show these cards. */
  bring(calendar: Calendar, cards: readonly Card[]): void {
    const next = new Map<string, Card | null>(cards.map((card) => [card.id, this.#awaited.has(card.id) ? null : card]));
    const left = (id: string) => this.#awaited.has(id) && this.#shown.has(id);
    for (const id of this.#awaited.keys()) if (left(id) && !next.has(id)) next.set(id, null);
    const gone = [...this.#shown.keys()].filter((id) => !next.has(id));
    const changed = cards.filter((card) => !left(card.id) && !same(this.#shown.get(card.id), card));
    if (gone.length + changed.length > MANY) calendar.setOption("events", [...cards] as never);
    else {
      gone.forEach((id) => calendar.removeEventById(id));
      changed.forEach((card) => (this.#shown.has(card.id) ? calendar.updateEvent(card as never) : calendar.addEvent(card as never)));
    }
    this.#shown = next;
  }
}

function same(before: Card | null | undefined, now: Card): boolean {
  if (!before) return false;
  const { extendedProps: told, ...drawn } = now;
  const { extendedProps: toldBefore, ...drawnBefore } = before;
  if (JSON.stringify(drawn) !== JSON.stringify(drawnBefore)) return false;
  // Of what was read again, and says the same, another object has come.
  return Object.keys(told).every((key) => told[key] === toldBefore[key] || JSON.stringify(told[key]) === JSON.stringify(toldBefore[key]));
}
