// Questions to the cloud about one host, where an answer is welcome and nobody may wait for it: each ends within a
// limit, and one that is not answered leaves its reason.

import { type Clock, withTimeLimit } from '../../shared/ground/clock.ts';
import { CloudError } from '../cloud/cloud.ts';

/** For each question; several may be asked one after the other within one job. */
const answerWithinMs = 20_000;

export class Questions {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #reasons = new Set<string>();

  constructor({ clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** The answer; null when there is none. @throws whatever is no CloudError */
  async ask<T>(question: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    try {
      return await withTimeLimit(this.#clock, answerWithinMs, (limit) =>
        question(AbortSignal.any([this.#signal, limit])),
      );
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      this.failed(error.message);
      return null;
    }
  }

  /** Something else is not known either, for this reason. */
  failed(reason: string): void {
    this.#reasons.add(reason);
  }

  /** Why not all was answered, as one text; null: it was. */
  get unanswered(): string | null {
    return this.#reasons.size === 0 ? null : [...this.#reasons].join('; ');
  }
}
