// A process of the pretend world: it has a clock of its own, and may be killed (nothing of it ever goes on) or frozen
// (all of it goes on later, as if no time had passed).
import type { Clock } from '../../../src/shared/ground/clock.ts';
import type { Planned, Timeline } from '../timeline.ts';

/** What a process runs on; it outlives it. */
export interface Machine {
  /** Its wall clock minus true time. */
  offsetMs: number;
  /** Time that its steady clock did not count. */
  pausedMs: number;
  /** A virtual machine that is paused as a whole: when it stands still both of its clocks do. */
  isPausable: boolean;
}

export class Process {
  readonly name: string;
  readonly timeline: Timeline;
  readonly machine: Machine;
  readonly clock: Clock;
  onKill: () => void = () => {};
  onFreeze: (forMs: number) => void = () => {};
  /**
   * Its machine was paused with both clocks when an answer was about to reach it, and it has asked nobody since: nothing
   * tells it how old that answer is.
   */
  isUnaware = false;
  #alive = true;
  #thawsAtMs = 0;

  constructor(name: string, timeline: Timeline, machine: Machine) {
    this.name = name;
    this.timeline = timeline;
    this.machine = machine;
    this.clock = {
      nowMs: () => timeline.nowMs + machine.offsetMs,
      steadyMs: () => timeline.nowMs - machine.pausedMs,
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
    if (this.machine.isPausable) this.machine.pausedMs += forMs;
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
      const dueMs = this.clock.steadyMs() + ms;
      const wake = () => {
        // By a clock that stood still it is not over yet.
        const leftMs = dueMs - this.clock.steadyMs();
        if (leftMs >= 1) {
          planned = this.later(leftMs, wake);
          return;
        }
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      let planned = this.later(ms, wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/**
 * What a killed process waits for; one of its own each time, as whoever waits for one promise is kept as long as it.
 */
export const never = (): Promise<never> => new Promise(() => {});
