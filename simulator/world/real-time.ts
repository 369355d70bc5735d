// The world's clock and chance in real time: for the HTTP APIs, with real clients at the other end.
import { randomInt, randomUUID } from 'node:crypto';
import type { Chance, Planned, WorldClock } from './clock.ts';

/** Timers of one world; `end` forgets all of them. */
export class RealTime implements WorldClock {
  readonly #timers = new Set<NodeJS.Timeout>();

  get nowMs(): number {
    return Date.now();
  }

  after(delayMs: number, action: () => void): Planned {
    const planned = { cancelled: false };
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!planned.cancelled) action();
    }, delayMs);
    this.#timers.add(timer);
    return planned;
  }

  /** Ends all that is under way. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** Ids are UUIDs, as the real services give them. */
export const realChance: Chance = {
  between: (least, most) => randomInt(least, most + 1),
  newId: () => randomUUID(),
};
