// The port to where locks and journals are kept. Redis implements it by scripts, the simulation in memory.
import { z } from 'zod';
import type { AssignmentToken } from '../../../shared/documents/assignments.ts';

/**
 * Every method is one step: nobody sees half of it, and nobody comes between its question and its change. All reject
 * when the storage is away. Times are the storage's own, so that the clocks of the workers do not matter.
 */
export interface JournalStorage {
  /**
   * Takes the locks of the dead host and of its targets for `forMs`, all or none; null when they are taken, else a host
   * that somebody has. A target that the open recovery of another host fills is had by that one, also while nobody
   * works at it, as long as the monitor's assignments want it.
   */
  takeLocks(lock: Omit<LockToken, 'assignment'>, forMs: number): Promise<Held | null>;
  /** Drops a claim, if it is still this one. */
  dropClaim(claimed: Claimed): Promise<void>;
  /** Prolongs locks that are all still ours and wanted. */
  renewLocks(lock: LockToken, forMs: number): Promise<Answer>;
  /** Gives back those of them that are still ours. */
  releaseLocks(hosts: readonly string[], token: string): Promise<void>;
  /** Writes the journal, makes it the open one of its host, and claims its targets, if granted. */
  save(lock: LockToken, journal: StoredJournal): Promise<Answer>;
  /** Like `save`, but closes the journal, keeps it for `keepSeconds` only, and gives locks and claims back. */
  end(lock: LockToken, journal: StoredJournal, keepSeconds: number): Promise<Answer>;
  /**
   * False when somebody else has the dead host's lock. Otherwise true, and a journal that the storage lost is put back,
   * so that a next worker knows what was asked for.
   */
  putBack(lock: LockToken, journal: StoredJournal): Promise<boolean>;
  /** Id of a host's open journal; null when there is none. */
  openJournal(host: string): Promise<string | null>;
  /** A journal's text by its id; null when there is none. */
  journal(id: string): Promise<string | null>;
}

/** Who has a host. `claim` null: somebody works there now. */
export interface Held {
  readonly host: string;
  readonly claim: Claimed | null;
}

/** A claim on a target, as it was read. */
export interface Claimed {
  readonly host: string;
  readonly text: string;
}

/** What is kept of the recovery that fills a target, for as long as its journal is open. */
export const claimSchema = z.object({
  dead: z.string(),
  recovery: z.string(),
  /** No assignments tell when nobody wants it any more: it ends by itself when nothing was saved for an hour. */
  byHand: z.boolean(),
});

/** How long a claim of a recovery by hand counts after its last save. */
export const claimByHandSeconds = 3_600;

/** The claim that the saves under a lock make. */
export function claimOf({ host, assignment }: LockToken, journalId: string): string {
  const claim: z.infer<typeof claimSchema> = {
    dead: host,
    recovery: assignment?.recovery ?? journalId,
    byHand: assignment === null,
  };
  return JSON.stringify(claim);
}

/** By what a change of a host's recovery is made. */
export interface LockToken {
  /** The dead one, whose journal it is. */
  readonly host: string;
  /**
   * Where its instances go, as far as the plan names it: nobody else may recover those, or move onto them, meanwhile.
   */
  readonly targets: readonly string[];
  /** Of this holder of the locks. */
  readonly token: string;
  /** Checked in the same step against the monitor's assignments; null: by hand, which needs none. */
  readonly assignment: AssignmentToken | null;
}

/**
 * granted: done. not-locked: not all of the locks are ours (any more). superseded, unknown: as `judgeAssignment` has
 * it. Nothing was changed but with `granted`.
 */
export type Answer = 'granted' | 'not-locked' | 'superseded' | 'unknown';

/** A journal as JSON, with its id. */
export interface StoredJournal {
  readonly id: string;
  readonly text: string;
}

/** Every host whose lock it is. */
export const lockedHosts = ({ host, targets }: Pick<LockToken, 'host' | 'targets'>): string[] => [
  host,
  ...targets,
];
