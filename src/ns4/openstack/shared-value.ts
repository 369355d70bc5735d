// Something costly that many calls need at once (the token, the microversion): made once, shared by all who wait for
// it.
import { CloudError } from '../cloud/cloud.ts';

export class SharedValue<T> {
  readonly #make: () => Promise<T>;
  readonly #isFresh: (value: T) => boolean;
  #value: T | null = null;
  #pending: Promise<T> | null = null;

  constructor(make: () => Promise<T>, isFresh: (value: T) => boolean = () => true) {
    this.#make = make;
    this.#isFresh = isFresh;
  }

  /**
   * The value; made first when there is none or it is stale. One caller that gives up does not end it for the others.
   */
  get(signal: AbortSignal): Promise<T> {
    if (this.#value !== null && this.#isFresh(this.#value)) return Promise.resolve(this.#value);
    if (this.#pending === null) {
      this.#pending = this.#make()
        .then((value) => {
          this.#value = value;
          return value;
        })
        .finally(() => {
          this.#pending = null;
        });
      // Should all who wait give up, its failure is nobody's.
      this.#pending.catch(() => undefined);
    }
    return untilStopped(this.#pending, signal);
  }

  /** Forgets this very value; one made meanwhile stays. */
  forget(value: T): void {
    if (this.#value === value) this.#value = null;
  }
}

function untilStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new CloudError('not-done', 'stopped', null, { cause: signal.reason }));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
