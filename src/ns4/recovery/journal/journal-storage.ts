// The port to where locks and journals are kept. Redis implements it by scripts, the simulation in memory.
import type { AssignmentToken } from '../../../shared/documents/assignments.ts';

/**
 * Every method is one step: nobody sees half of it, and nobody comes between its question and its change. All reject
 * when the storage is away. Times are the storage's own, so that the clocks of the workers do not matter.
 */
export interface JournalStorage {
  /** Takes the lock on a host's recovery for `forMs` if nobody has it; false when somebody has. */
  takeLock(host: string, token: string, forMs: number): Promise<boolean>;
  /** Prolongs a lock that is still ours and wanted. */
  renewLock(lock: LockToken, forMs: number): Promise<Answer>;
  /** Gives a lock back; nothing happens when it is not ours any more. */
  releaseLock(host: string, token: string): Promise<void>;
  /** Writes the journal and makes it the open one of its host, if granted. */
  save(lock: LockToken, journal: StoredJournal): Promise<Answer>;
  /** Like `save`, but closes the journal, keeps it for `keepSeconds` only, and gives the lock back. */
  end(lock: LockToken, journal: StoredJournal, keepSeconds: number): Promise<Answer>;
  /**
   * False when somebody else has the lock. Otherwise true, and a journal that the storage lost is put back, so that a
   * next worker knows what was asked for.
   */
  putBack(host: string, token: string, journal: StoredJournal): Promise<boolean>;
  /** Id of a host's open journal; null when there is none. */
  openJournal(host: string): Promise<string | null>;
  /** A journal's text by its id; null when there is none. */
  journal(id: string): Promise<string | null>;
}

/** By what a change of a host's recovery is made. */
export interface LockToken {
  readonly host: string;
  /** Of this holder of the lock. */
  readonly token: string;
  /** Checked in the same step against the monitor's assignments; null: by hand, which needs none. */
  readonly assignment: AssignmentToken | null;
}

/**
 * granted: done. not-locked: the lock is not ours (any more). superseded, unknown: as `judgeAssignment` has it. Nothing
 * was changed but with `granted`.
 */
export type Answer = 'granted' | 'not-locked' | 'superseded' | 'unknown';

/** A journal as JSON, with its id. */
export interface StoredJournal {
  readonly id: string;
  readonly text: string;
}
