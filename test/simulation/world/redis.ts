// The pretend Redis: one map whose keys may expire, that can lose its last second (as an append-only file synced every
// second does), more of it (as a fail-over to a replica that lags does), or everything.
import type { Timeline } from '../timeline.ts';

/** It may lose so much at most. */
const mostLossMs = 15_000;

interface Kept {
  readonly value: unknown;
  readonly untilMs: number;
}

export class PretendRedis {
  readonly timeline: Timeline;
  /** Is what it holds put through its texts? Costs time, and is the same each time but for a mistake. */
  strict = true;
  /** Hears of each write. */
  onSet: (key: string, value: unknown) => void = () => {};
  /** Nobody reaches it. */
  away = false;
  readonly #values = new Map<string, Kept>();
  #mostUndo = 300;
  #undo: { atMs: number; key: string; kept: Kept | undefined }[] = [];

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  /** Values are replaced, never changed in place: what an earlier write stored must stay what it was. */
  get<T>(key: string): T | undefined {
    const kept = this.#values.get(key);
    return kept === undefined || kept.untilMs <= this.timeline.nowMs ? undefined : (kept.value as T);
  }

  set(key: string, value: unknown, forMs = Number.POSITIVE_INFINITY): void {
    this.#write(key, { value, untilMs: this.timeline.nowMs + forMs });
    this.onSet(key, value);
  }

  delete(key: string): void {
    if (this.#values.has(key)) this.#write(key, undefined);
  }

  keys(prefix: string): string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix) && this.get(key) !== undefined);
  }

  /** Everything written in the last moments is gone; returns how many writes. */
  rollBack(lossMs = 1_000): number {
    let lost = 0;
    const { nowMs } = this.timeline;
    for (
      let last = this.#undo.pop();
      last !== undefined && last.atMs > nowMs - lossMs;
      last = this.#undo.pop()
    ) {
      if (last.kept === undefined) this.#values.delete(last.key);
      else this.#values.set(last.key, last.kept);
      lost += 1;
    }
    this.#undo = [];
    return lost;
  }

  /** FLUSHALL. */
  forgetAll(): void {
    this.#values.clear();
    this.#undo = [];
  }

  #write(key: string, kept: Kept | undefined): void {
    const { nowMs } = this.timeline;
    this.#undo.push({ atMs: nowMs, key, kept: this.#values.get(key) });
    if (this.#undo.length > this.#mostUndo) {
      this.#undo = this.#undo.filter((u) => u.atMs > nowMs - mostLossMs);
      this.#mostUndo = Math.max(300, 2 * this.#undo.length);
    }
    if (kept === undefined) this.#values.delete(key);
    else this.#values.set(key, kept);
  }
}
