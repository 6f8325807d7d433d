// What was done, said once, with a way back for a slip; and what went wrong, until it is read.

export type Notice = { id: number; text: string; bad: boolean; undo?: () => Promise<void> };

const SHOWN_MS = 8_000;

class Notices {
  shown = $state.raw<Notice[]>([]);
  #last = 0;

  say(text: string, undo?: () => Promise<void>): void {
    const id = this.#add({ text, bad: false, undo });
    setTimeout(() => this.drop(id), SHOWN_MS);
  }

  fail(text: string): void {
    this.#add({ text, bad: true });
  }

  drop(id: number): void {
    this.shown = this.shown.filter((one) => one.id !== id);
  }

  #add(notice: Omit<Notice, "id">): number {
    const id = ++this.#last;
    this.shown = [...this.shown.slice(-3), { id, ...notice }];
    return id;
  }
}

export const notices = new Notices();
