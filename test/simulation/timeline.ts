// Virtual time: what is due next, in order; of things due at once, the one planned first. Between two events every
// promise that can go on does so, which makes a history of real asynchronous code repeatable to the letter.

export interface Planned {
  cancelled: boolean;
}

interface Entry extends Planned {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Timeline {
  /** True time, which no participant of the simulation knows. */
  nowMs: number;
  /** Events so far. */
  events = 0;
  #heap: Entry[] = [];
  #order = 0;
  #failure: unknown = null;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  after(delayMs: number, run: () => void): Planned {
    const entry = {
      atMs: this.nowMs + Math.max(0, Math.round(delayMs)),
      order: this.#order++,
      run,
      cancelled: false,
    };
    this.#push(entry);
    return entry;
  }

  /** What must end the history, thrown in the middle of somebody's promise. */
  fail(failure: unknown): void {
    this.#failure ??= failure;
  }

  /** Does everything due until `untilMs`, or until `isEnough` says so between two events. */
  async runUntil(untilMs: number, isEnough: () => boolean = () => false): Promise<void> {
    await settled();
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      this.events += 1;
      next.run();
      await settled();
      if (isEnough()) return;
    }
    this.nowMs = untilMs;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent] as Entry, entry)) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    const { length } = heap;
    if (length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (isBefore(last, heap[child] as Entry)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * Resolves when no promise can go on any more. Node runs what nextTick was given only after the whole queue of
 * microtasks, those they add included; the first await makes sure that we are in that queue ourselves.
 */
async function settled(): Promise<void> {
  await null;
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
