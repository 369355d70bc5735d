// The journals of one cloud: which one of a host is open, and the lock under which it is written.
import { randomUUID } from 'node:crypto';
import type { AssignmentToken } from '../../../shared/documents/assignments.ts';
import { type Distrust, distrustText } from '../../../shared/documents/terms/distrust.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { jsonOrNull } from '../../../shared/redis/json.ts';
import type { Trust } from '../../../shared/trust/trust.ts';
import { dropFuture, type Journal, journalOf } from './journal.ts';
import { type Claimed, claimSchema, type JournalStorage } from './journal-storage.ts';
import { Lock, lockMs } from './lock.ts';

/** Pause between two tries to take a lock that somebody has. */
const retryMs = 250;

/** A journal that this worker does not go on with. */
export class DistrustedJournalError extends OperationalError {
  readonly distrust: Distrust;
  constructor(distrust: Distrust) {
    super(`in Redis ${distrustText(distrust)}`);
    this.distrust = distrust;
  }
}

export class Journals {
  readonly #storage: JournalStorage;
  readonly #clock: Clock;
  readonly #trust: Trust;

  constructor(storage: JournalStorage, clock: Clock, trust: Trust) {
    this.#storage = storage;
    this.#clock = clock;
    this.#trust = trust;
  }

  /** The open journal of a host; null when there is none. @throws DistrustedJournalError */
  async open(host: string): Promise<Journal | null> {
    const id = await this.#storage.openJournal(host);
    const journal = id === null ? null : await this.read(id);
    if (journal === null || journal.dead === host) return journal;
    throw new DistrustedJournalError(
      this.#trust.refuse({ what: 'journal', about: journal.id, why: 'not-ours' }),
    );
  }

  /** A journal by its id, ended or not; null when there is none. @throws DistrustedJournalError */
  async read(id: string): Promise<Journal | null> {
    const text = await this.#storage.journal(id);
    if (text === null) return null;
    const found = jsonOrNull(text);
    const distrust = this.#trust.distrusts('journal', id, found);
    if (distrust !== null) throw new DistrustedJournalError(distrust);
    const journal = journalOf(found);
    if (journal?.id !== id) {
      const why = journal === null ? 'not-understood' : 'not-ours';
      throw new DistrustedJournalError(this.#trust.refuse({ what: 'journal', about: id, why }));
    }
    if (dropFuture(journal, this.#clock.nowMs()))
      this.#trust.refuse({ what: 'journal', about: id, why: 'proof-ahead' });
    return journal;
  }

  /**
   * Takes the lock on a host's recovery, with those of its targets, waiting up to `waitMs` for a former holder's to run
   * out (a killed worker's does within 8 s). A target is also somebody else's while the open recovery of another host
   * fills it, whether or not its worker lives. With an assignment every change under this lock is made only while the
   * monitor's assignments agree. When somebody else keeps renewing a lock: the host it is about.
   */
  async lock(
    { host, targets }: { readonly host: string; readonly targets: readonly string[] },
    waitMs: number,
    signal: AbortSignal,
    assignment: AssignmentToken | null,
  ): Promise<Lock | { readonly heldByOther: string }> {
    const token = randomUUID();
    const untilMs = this.#clock.steadyMs() + waitMs;
    for (;;) {
      const held = await this.#storage.takeLocks({ host, targets, token }, lockMs);
      if (held === null)
        return new Lock(
          { storage: this.#storage, clock: this.#clock, trust: this.#trust },
          { host, targets, token, assignment },
        );
      if (held.claim !== null && (await this.#isVoid(held.claim))) await this.#storage.dropClaim(held.claim);
      if (this.#clock.steadyMs() >= untilMs) return { heldByOther: held.host };
      await this.#clock.sleep(retryMs, signal);
    }
  }

  /** Is the recovery that claims a target over, or its journal lost? Redis may have lost that the claim was dropped. */
  async #isVoid({ host, text }: Claimed): Promise<boolean> {
    const claim = claimSchema.safeParse(jsonOrNull(text)).data;
    if (claim === undefined) {
      // Whoever works there holds the lock, and claims it anew with his next save.
      this.#trust.refuse({ what: 'claim', about: host, why: 'not-understood' });
      return true;
    }
    try {
      const open = await this.open(claim.dead);
      return open === null || open.ended !== null;
    } catch (error) {
      // The recovery that it is about is refused by itself; until somebody looked, its target stays its own.
      if (error instanceof DistrustedJournalError) return false;
      throw error;
    }
  }
}
