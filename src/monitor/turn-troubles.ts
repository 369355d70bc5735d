// What goes wrong in the monitor's turns: each part of a turn fails by itself, so that one bad entry in Redis takes nothing
// else along; and a monitor that cannot save any more for a reason that stays ends, rather than stand still in silence.
import { errorText, OperationalError, ServiceError } from '../shared/ground/errors.ts';
import type { Log } from '../shared/ground/log.ts';
import { isRefusalOfRedis } from '../shared/redis/db.ts';
import { LostLeaseError } from './memory.ts';

/** Failed turns in a row, for reasons that stay, after which the monitor ends: about a minute. */
export const mostFailedTurns = 120;

/** Will it be so at the next try? Not while Redis is away, or takes over. */
const stays = (error: unknown): boolean =>
  isRefusalOfRedis(error) ||
  error instanceof OperationalError ||
  [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind);

/** Nothing further of this turn can go well either. */
const endsTurn = (error: unknown): boolean =>
  error instanceof LostLeaseError || (error instanceof ServiceError && !isRefusalOfRedis(error));

export class TurnTroubles {
  readonly #log: Log;
  /** By part, what was said of it last. */
  readonly #said = new Map<string, string>();
  #inRow = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * One part of a turn; `otherwise` when it failed, which is said once until it is over or another failure. Rejects only
   * with what ends the whole turn.
   */
  async apart<T>(part: string, otherwise: T, act: () => Promise<T>): Promise<T> {
    try {
      const result = await act();
      if (this.#said.delete(part)) this.#log.warn(`${part}: works again`);
      return result;
    } catch (error) {
      if (endsTurn(error)) throw error;
      const text = errorText(error);
      if (this.#said.get(part) !== text)
        this.#log.error({ error: text }, `${part}: failed; the rest goes on`);
      this.#said.set(part, text);
      return otherwise;
    }
  }

  /** A turn went to its end. */
  turned(): void {
    this.#inRow = 0;
  }

  /** A whole turn failed. @throws OperationalError after too many in a row that the next one would not mend */
  failed(error: unknown): void {
    this.#inRow = stays(error) ? this.#inRow + 1 : 0;
    if (this.#inRow >= mostFailedTurns)
      throw new OperationalError(
        `${mostFailedTurns} turns in a row failed, and no further one will go better: ${errorText(error)}`,
      );
  }
}
