// A party in somebody's hand: dragged by mouse or by finger, or picked up by a tap or by Enter.

/** Who, and from which table; empty: from the list. */
export type Held = { id: string; from: string };

const FAR_PX = 6;
// By finger a press has to last, or nobody could scroll.
const LONG_PRESS_MS = 350;
const EDGE_PX = 48;
const EDGE_STEP_PX = 10;

export class Carry {
  held = $state.raw<Held | null>(null);
  dragging = $state(false);
  /** The table under the pointer. */
  over = $state("");
  x = $state(0);
  y = $state(0);

  #drop: (held: Held, table: string) => void;
  #freeze: () => () => void;
  #thaw: (() => void) | null = null;
  #swallows = false;
  #edge = 0;

  constructor(drop: (held: Held, table: string) => void, freeze: () => () => void) {
    this.#drop = drop;
    this.#freeze = freeze;
  }

  /** Picked up without dragging; the same again puts them down. */
  pick(held: Held): void {
    this.held = this.held?.id === held.id ? null : held;
  }

  putDown(): void {
    this.held = null;
  }

  /** Given to a table. */
  give(table: string): void {
    const held = this.held;
    this.held = null;
    if (held && table !== held.from) this.#drop(held, table);
  }

  /** A pointer goes down on a party. */
  press(event: PointerEvent, held: Held): void {
    if (event.button !== 0 || !event.isPrimary || this.dragging) return;
    const byFinger = event.pointerType !== "mouse";
    const begin = { x: event.clientX, y: event.clientY };
    const timer = byFinger ? setTimeout(() => this.#begin(held, begin), LONG_PRESS_MS) : undefined;
    const moved = (now: PointerEvent) => {
      if (now.pointerId !== event.pointerId) return;
      if (this.dragging) return this.#follow(now.clientX, now.clientY);
      if (Math.hypot(now.clientX - begin.x, now.clientY - begin.y) < FAR_PX) return;
      if (byFinger) return stop(); // They scroll.
      this.#begin(held, begin);
      this.#follow(now.clientX, now.clientY);
    };
    const up = (now: PointerEvent) => {
      if (now.pointerId !== event.pointerId) return;
      const table = this.dragging ? this.over : "";
      const dragged = this.dragging;
      stop();
      if (dragged) this.#swallow();
      if (table && table !== held.from) this.#drop(held, table);
    };
    const key = (pressed: KeyboardEvent) => {
      if (pressed.key !== "Escape" || !this.dragging) return;
      stop();
      this.#swallow();
    };
    // A long press must not open the browser's own menu.
    const menu = (asked: Event) => asked.preventDefault();
    const stop = () => {
      clearTimeout(timer);
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", stop);
      removeEventListener("keydown", key);
      removeEventListener("contextmenu", menu);
      if (this.dragging) this.#end();
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", stop);
    addEventListener("keydown", key);
    if (byFinger) addEventListener("contextmenu", menu);
  }

  /** Whether a click is only the end of a drag; asked before any click counts. */
  readonly swallow = (event: MouseEvent): void => {
    if (this.#swallows) event.stopPropagation();
  };

  /** While a party is dragged a finger does not scroll. Listened to from the start, not passively. */
  readonly hold = (event: TouchEvent): void => {
    if (this.dragging) event.preventDefault();
  };

  #begin(held: Held, at: { x: number; y: number }): void {
    this.#thaw = this.#freeze();
    this.held = held;
    this.dragging = true;
    this.#follow(at.x, at.y);
    this.#edge = requestAnimationFrame(() => this.#scroll());
  }

  #follow(x: number, y: number): void {
    this.x = x;
    this.y = y;
    this.over = document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-table]")?.dataset.table ?? "";
  }

  // What is beyond the edge comes into sight while a party is held at it.
  #scroll(): void {
    if (!this.dragging) return;
    const plan = document.elementFromPoint(this.x, this.y)?.closest<HTMLElement>("[data-scrolls]");
    if (plan) {
      const box = plan.getBoundingClientRect();
      const step = (at: number, low: number, high: number) => (at < low + EDGE_PX ? -EDGE_STEP_PX : at > high - EDGE_PX ? EDGE_STEP_PX : 0);
      plan.scrollBy(step(this.x, box.left, box.right), step(this.y, box.top, box.bottom));
      this.#follow(this.x, this.y);
    }
    this.#edge = requestAnimationFrame(() => this.#scroll());
  }

  #end(): void {
    cancelAnimationFrame(this.#edge);
    this.dragging = false;
    this.held = null;
    this.over = "";
    this.#thaw?.();
    this.#thaw = null;
  }

  // The click that ends a drag comes before anything that waits its turn.
  #swallow(): void {
    this.#swallows = true;
    setTimeout(() => (this.#swallows = false));
  }
}
