// The pauses of the monitor's loop, which end early when something happens.
import { setMaxListeners } from 'node:events';
import type { Clock } from '../shared/ground/clock.ts';

/** Not one of its own for every finished job. */
const woken = new Error('woken');

export class Pause {
  readonly #clock: Pick<Clock, 'sleep'>;
  #wake = new AbortController();

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** Ends the pause that is taken now, or else the next one. */
  end(): void {
    this.#wake.abort(woken);
  }

  /** Resolves after `ms`, or when it was ended. */
  async take(ms: number): Promise<void> {
    const wake = this.#wake;
    // Redis clients and timers of one process hang on this signal in turn, never many at once; silence the guess.
    setMaxListeners(0, wake.signal);
    try {
      await this.#clock.sleep(ms, wake.signal);
    } catch {
      // Woken early, which is what the signal is for.
    }
    if (wake.signal.aborted) this.#wake = new AbortController();
  }
}
