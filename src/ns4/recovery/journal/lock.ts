// The lock on one host's recovery, its targets included: renewed until it is given back or lost. Whoever holds it may
// write the journal, and each write confirms that it is held.
import type { FenceRight } from '../../../shared/documents/jobs/fence.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { timings } from '../../../shared/ground/timings.ts';
import type { Trust } from '../../../shared/trust/trust.ts';
import type { Journal } from './journal.ts';
import {
  type Answer,
  type JournalStorage,
  type LockToken,
  lockedHosts,
  type StoredJournal,
} from './journal-storage.ts';

/** Without renewal a holder is taken for dead after this. */
export const lockMs = timings.recoveryLock.lifeMs;
const { renewMs } = timings.recoveryLock;
/** An ended journal stays readable this long. */
const keepSeconds = 90 * 86_400;
/** One that ended before anything was changed may be followed by another one a minute later, and so on for days. */
const keepRefusedSeconds = 86_400;
/** A confirmation older than this is asked for again before a dangerous step. */
const { freshMs: confirmationFreshMs } = timings.recoveryLock;
const mostSaves = 8;

/** This worker's part in the recovery is over: whatever was about to be done must not be done. */
export class LostLockError extends OperationalError {}

/**
 * The lock ran out or was wiped, though nobody else has it now, or the assignments were wiped: this worker stood still,
 * or Redis did. Somebody may have been at work in between, so whatever was looked at is to be looked at again under a
 * new lock.
 */
export class InterruptedLockError extends OperationalError {}

interface LockParts {
  readonly storage: JournalStorage;
  readonly clock: Clock;
  /** Signs the journal. */
  readonly trust: Pick<Trust, 'text'>;
}

export class Lock {
  readonly #storage: JournalStorage;
  readonly #clock: Clock;
  readonly #token: LockToken;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  #last: StoredJournal | null = null;

  readonly #trust: Pick<Trust, 'text'>;

  constructor({ storage, clock, trust }: LockParts, token: LockToken) {
    this.#storage = storage;
    this.#clock = clock;
    this.#trust = trust;
    this.#token = token;
    void this.#keepRenewing();
  }

  /** Shown by another vantage point that fences in this one's stead: it does so only while this lock is held. */
  get right(): FenceRight {
    const { token, assignment } = this.#token;
    return { token, assignment };
  }

  /** Aborted as soon as the loss of the lock is noticed. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Until released or lost. An answer is not waited for: one that is late must not delay the next renewal. */
  async #keepRenewing(): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(renewMs, this.#over.signal);
        void this.#renew();
      }
    } catch {
      // Over: nothing is left to renew.
    }
  }

  async #renew(): Promise<void> {
    try {
      const answer = await this.#storage.renewLocks(this.#token, lockMs);
      if (answer !== 'granted') await this.#lose(answer);
    } catch {
      // Redis is away: the next save tells whether the lock is still held.
    }
  }

  /** The lock is not held any more; says which way, and ends everything done under it. */
  async #lose(answer: Exclude<Answer, 'granted'>): Promise<never> {
    this.#over.abort();
    const error = await this.#lossBy(answer);
    this.#lost.abort(error);
    throw error;
  }

  async #lossBy(answer: Exclude<Answer, 'granted'>): Promise<OperationalError> {
    const { host } = this.#token;
    if (answer === 'superseded')
      return new LostLockError(
        `the monitor wants the recovery of ${host} from another job now, or not any more`,
      );
    const free = this.#last === null || (await this.#storage.putBack(this.#token, this.#last));
    if (!free) return new LostLockError(`another worker holds the recovery of ${host} now`);
    return new InterruptedLockError(
      answer === 'unknown'
        ? `Redis does not hold the monitor's assignment of the recovery of ${host}`
        : `the lock on the recovery of ${host} was interrupted`,
    );
  }

  /**
   * Writes the journal, if the lock is still held and the job wanted. Returns only with a fresh confirmation: a worker
   * that was frozen meanwhile asks again, so that what follows at once cannot be minutes late.
   * @throws LostLockError, InterruptedLockError; OperationalError when Redis is too slow to confirm anything
   */
  async save(journal: Journal): Promise<void> {
    for (let round = 1; round <= mostSaves; round += 1) {
      const sentAtMs = this.#clock.steadyMs();
      // Written anew each round: another save may have been quicker, and this one must not undo it.
      const text = this.#stored(journal);
      const answer = await this.#storage.save(this.#token, text);
      if (answer !== 'granted') await this.#lose(answer);
      this.#last = text;
      if (this.#clock.steadyMs() - sentAtMs <= confirmationFreshMs) return;
    }
    throw new OperationalError(`Redis is too slow to confirm who holds the recovery of ${this.#token.host}`);
  }

  /** Ends the journal: it stays readable for 90 days (for one if it was refused), and the host is free for another. */
  async end(journal: Journal): Promise<void> {
    const seconds = journal.ended?.outcome === 'refused' ? keepRefusedSeconds : keepSeconds;
    const answer = await this.#storage.end(this.#token, this.#stored(journal), seconds);
    if (answer !== 'granted') await this.#lose(answer);
    this.#over.abort();
  }

  #stored(journal: Journal): StoredJournal {
    return { id: journal.id, text: this.#trust.text('journal', journal.id, journal) };
  }

  /** Gives the lock back without ending the journal; another worker may take it at once. */
  async release(): Promise<void> {
    this.#over.abort();
    try {
      await this.#storage.releaseLocks(lockedHosts(this.#token), this.#token.token);
    } catch {
      // Redis is away; the lock runs out by itself within seconds.
    }
  }
}
