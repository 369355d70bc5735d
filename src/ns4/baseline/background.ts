// What goes on beside the work until the process ends: turn after turn, with a pause where it was nobody's.
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';

/** How often it is looked whether there is something to do. */
const pauseMs = 1_000;

interface BackgroundParts {
  /** False when it was nobody's turn. */
  turn(signal: AbortSignal): Promise<boolean>;
  /** Logged with the reason when a turn fails, until one does not. */
  readonly trouble: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class Background {
  readonly #parts: BackgroundParts;
  readonly #stop = new AbortController();
  #isTold = false;
  #running: Promise<void> | null = null;

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing of it goes on any more. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the process ends'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const isBusy = await this.turn().catch((error) => {
        const { log, trouble } = this.#parts;
        if (!this.#isTold && !signal.aborted) log.warn({ error: errorText(error) }, trouble);
        this.#isTold = true;
        return false;
      });
      if (!isBusy) await this.#parts.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** One turn; rejects as it does. */
  async turn(): Promise<boolean> {
    const isBusy = await this.#parts.turn(this.#stop.signal);
    this.#isTold = false;
    return isBusy;
  }
}
