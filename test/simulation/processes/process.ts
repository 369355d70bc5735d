// A process of the pretend world: it has a clock of its own, and may be killed (nothing of it ever goes on) or frozen
// (all of it goes on later, as if no time had passed).
import type { Clock } from '../../../src/shared/ground/clock.ts';
import type { Planned, Timeline } from '../timeline.ts';

export class Process {
  readonly name: string;
  readonly timeline: Timeline;
  /** Its clock minus true time; of the machine it runs on, so it outlives the process. */
  readonly machine: { offsetMs: number };
  readonly clock: Clock;
  onKill: () => void = () => {};
  onFreeze: (forMs: number) => void = () => {};
  #alive = true;
  #thawsAtMs = 0;

  constructor(name: string, timeline: Timeline, machine: { offsetMs: number }) {
    this.name = name;
    this.timeline = timeline;
    this.machine = machine;
    this.clock = {
      nowMs: () => timeline.nowMs + machine.offsetMs,
      steadyMs: () => timeline.nowMs,
      sleep: (ms, signal) => this.sleep(ms, signal),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get running(): boolean {
    return this.#alive && this.#thawsAtMs <= this.timeline.nowMs;
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.onKill();
  }

  freeze(forMs: number): void {
    if (!this.running) return;
    this.#thawsAtMs = this.timeline.nowMs + forMs;
    this.onFreeze(forMs);
  }

  /** Time until it goes on. */
  get frozenMs(): number {
    return this.#alive ? Math.max(0, this.#thawsAtMs - this.timeline.nowMs) : 0;
  }

  /** Goes on in this process: now, when it thaws, or never. */
  enter(run: () => void): void {
    if (!this.#alive) return;
    const frozenMs = this.#thawsAtMs - this.timeline.nowMs;
    if (frozenMs > 0) this.timeline.after(frozenMs, () => this.enter(run));
    else run();
  }

  later(delayMs: number, run: () => void): Planned {
    return this.timeline.after(delayMs, () => this.enter(run));
  }

  /** An answer from elsewhere, worked out when it is due there. */
  answer<T>(delayMs: number, make: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.later(delayMs, () => {
        try {
          resolve(make());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        planned.cancelled = true;
        reject(signal?.reason);
      };
      const planned = this.later(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/**
 * What a killed process waits for; one of its own each time, as whoever waits for one promise is kept as long as it.
 */
export const never = (): Promise<never> => new Promise(() => {});
