// What changes at the device, as it tells it: one connection for a page, shared by all that listen.

export type Told = { event: string; data: unknown };
type Listener = (told: Told) => void;

const EVENTS = ["reservation", "hold", "block", "waitlist", "venue", "queue", "sync", "exception", "reset"];
const BEGUN_MS = 1_000;
const AGAIN_MS = [500, 1_000, 2_000, 5_000];

/** A connection that comes back by itself, and goes on where it was. */
export class Stream {
  #source: EventSource | null = null;
  #listeners = new Set<Listener>();
  #failed = 0;
  #opened = false;
  #stands!: () => void;
  #first = new Promise<void>((done) => (this.#stands = done));
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onLife: (alive: boolean) => void;

  constructor(onLife: (alive: boolean) => void) {
    this.#onLife = onLife;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  open(): void {
    this.close();
    const source = new EventSource("/api/v1/stream");
    this.#source = source;
    let first = true;
    source.onopen = () => {
      this.#failed = 0;
      this.#onLife(true);
      // The browser goes on where its own connection broke off. A new one begins now: what was
      // told before it has to be read.
      if (first && this.#opened) this.#tell({ event: "reset", data: null });
      first = false;
      this.#opened = true;
      this.#stands();
    };
    source.onerror = () => {
      this.#onLife(false);
      // The browser tries again by itself, but not after an answer that is no stream.
      if (source.readyState !== EventSource.CLOSED) return;
      const wait = AGAIN_MS[Math.min(this.#failed++, AGAIN_MS.length - 1)];
      this.#timer = setTimeout(() => this.open(), wait);
    };
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => {
        const data: unknown = JSON.parse((message as MessageEvent<string>).data || "null");
        this.#tell({ event, data });
      });
    }
  }

  /** When the first connection stands, or cannot for the moment: what is read from then on lacks
   * nothing that is told. */
  begun(): Promise<void> {
    return Promise.race([this.#first, new Promise<void>((done) => setTimeout(done, BEGUN_MS))]);
  }

  #tell(told: Told): void {
    for (const listener of this.#listeners) listener(told);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
