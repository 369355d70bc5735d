// The journal of an incident: what was about to be done to whom, written before it is done, by one owner at a time.
// It lets a second worker continue after the first one died, and a person read what happened. It is a help, not the
// truth: what Nova shows is looked at as well, since Redis may have lost its last second.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Warrant } from '../../../shared/documents/assignments.ts';
import { instanceReportSchema } from '../../../shared/documents/jobs/evacuate.ts';
import { refusalSchema } from '../../../shared/documents/refusals/refusals.ts';
import type { Clock } from '../../../shared/ground/clock.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { proofSchema } from '../../fencing/proof.ts';

const entrySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** As Nova showed it when the incident was opened: what it must be again. */
  before: z.object({ status: z.string(), vmState: z.string() }),
  /**
   * pending: nothing left for Nova; asking: a request is about to leave or left and its answer is not known;
   * asked: Nova took it; ended: see report.
   */
  state: z.enum(['pending', 'asking', 'asked', 'ended']),
  attempts: z.number(),
  askedAtMs: z.number().nullable(),
  report: instanceReportSchema.nullable(),
});
export type JournalEntry = z.infer<typeof entrySchema>;

const incidentSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  dead: z.string(),
  spare: z.string(),
  method: z.enum(['api', 'database']),
  openedAtMs: z.number(),
  judgedAtMs: z.number(),
  evidence: z.array(z.string()),
  /** Did anything that moves an instance leave? */
  acted: z.boolean(),
  /** Proof that the dead host is off, where it is demanded; a worker that continues need not fence again. */
  proof: proofSchema.nullable().default(null),
  steps: z.array(z.object({ atMs: z.number(), step: z.string() })),
  instances: z.record(z.string(), entrySchema),
  /** How it ended, for a worker that is asked for it again: the one that ended it may be lost before it could tell. */
  ended: z
    .object({
      atMs: z.number(),
      outcome: z.enum(['done', 'stopped', 'refused']),
      refusal: refusalSchema.nullable(),
    })
    .nullable(),
});
export type Incident = z.infer<typeof incidentSchema>;

/** Without renewal an owner is taken for dead after this. */
const ownerMs = 8_000;
const renewMs = 2_000;
/** An ended incident stays readable this long. */
const keepSeconds = 90 * 86_400;
/** One that ended before anything was changed may be followed by another one a minute later, and so on for days. */
const keepRefusedSeconds = 86_400;
/** A confirmation of ownership older than this is asked for again before a dangerous step. */
const ownershipFreshMs = 1_500;
const mostSaves = 8;

/**
 * Where claims and journals are kept. Every method is one step: nobody sees half of it, and nobody comes between its
 * question and its change. All reject when the storage is away. Times are the storage's own, so that the clocks of the
 * workers do not matter.
 */
export interface JournalStorage {
  /** Takes the claim on a host's incident for `forMs` if nobody has it; false when somebody has. */
  takeClaim(host: string, token: string, forMs: number): Promise<boolean>;
  /** Prolongs a claim that is still ours and wanted. */
  renewClaim(right: Right, forMs: number): Promise<Answer>;
  /** Gives a claim back; nothing happens when it is not ours any more. */
  releaseClaim(host: string, token: string): Promise<void>;
  /** Writes the journal and makes it the open incident of its host, if granted. */
  save(right: Right, journal: StoredJournal): Promise<Answer>;
  /** Like `save`, but closes the incident, keeps its journal for `keepSeconds` only, and ends the claim. */
  end(right: Right, journal: StoredJournal, keepSeconds: number): Promise<Answer>;
  /**
   * False when somebody else has the claim. Otherwise true, and a journal that the storage lost is put back, so that a
   * next worker knows what was asked for.
   */
  putBack(host: string, token: string, journal: StoredJournal): Promise<boolean>;
  /** Id of a host's open incident; null when there is none. */
  openIncident(host: string): Promise<string | null>;
  /** A journal's text by its incident's id; null when there is none. */
  journal(id: string): Promise<string | null>;
}

/** What a change of a host's incident is made by. */
export interface Right {
  readonly host: string;
  /** Of the claim. */
  readonly token: string;
  /** Checked in the same step against the monitor's mandate; null: by hand, which needs none. */
  readonly warrant: Warrant | null;
}

/**
 * granted: done. no-claim: the claim is not ours (any more). superseded, unknown: as `judgeWarrant` has it. Nothing was
 * changed but with `granted`.
 */
export type Answer = 'granted' | 'no-claim' | 'superseded' | 'unknown';

/** A journal as JSON, with its incident's id. */
export interface StoredJournal {
  readonly id: string;
  readonly text: string;
}

/** This worker's part in the incident is over: whatever was about to be done must not be done. */
export class LostOwnershipError extends OperationalError {}

/**
 * The claim ran out or was wiped, though nobody else has it now, or the mandate was wiped: this worker stood still, or
 * Redis did. Somebody may have been at work in between, so whatever was looked at is to be looked at again under a new
 * claim.
 */
export class InterruptedOwnershipError extends OperationalError {}

/** The journals of one cloud. */
export class Journals {
  readonly #storage: JournalStorage;
  readonly #clock: Clock;

  constructor(storage: JournalStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** The unfinished incident of a host; null when there is none. */
  async open(host: string): Promise<Incident | null> {
    const id = await this.#storage.openIncident(host);
    return id === null ? null : this.read(id);
  }

  /** An incident by its id, ended or not; null when there is none. */
  async read(id: string): Promise<Incident | null> {
    const text = await this.#storage.journal(id);
    return text === null ? null : incidentSchema.parse(JSON.parse(text));
  }

  /**
   * Becomes the owner of a host's incident, waiting up to `waitMs` for a former owner's claim to run out (a killed
   * worker's does within 8 s). Null when somebody else keeps renewing it. With a warrant every change under this claim
   * is made only while the monitor's mandate agrees.
   */
  async claim(
    host: string,
    waitMs: number,
    signal: AbortSignal,
    warrant: Warrant | null,
  ): Promise<Ownership | null> {
    const token = randomUUID();
    const untilMs = this.#clock.steadyMs() + waitMs;
    for (;;) {
      if (await this.#storage.takeClaim(host, token, ownerMs))
        return new Ownership(this.#storage, this.#clock, { host, token, warrant });
      if (this.#clock.steadyMs() >= untilMs) return null;
      await this.#clock.sleep(250, signal);
    }
  }
}

/** The right to change one host's incident, renewed until released or lost. */
export class Ownership {
  readonly #storage: JournalStorage;
  readonly #clock: Clock;
  readonly #right: Right;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  #last: StoredJournal | null = null;

  constructor(storage: JournalStorage, clock: Clock, right: Right) {
    this.#storage = storage;
    this.#clock = clock;
    this.#right = right;
    void this.#keepRenewing();
  }

  /** Aborted as soon as the loss of ownership is noticed. */
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
      const answer = await this.#storage.renewClaim(this.#right, ownerMs);
      if (answer !== 'granted') await this.#lose(answer);
    } catch {
      // Redis is away: the next save tells whether we are still the owner.
    }
  }

  /** We are not the owner any more; says which way, and ends everything done under this claim. */
  async #lose(answer: Exclude<Answer, 'granted'>): Promise<never> {
    this.#over.abort();
    const error = await this.#lossBy(answer);
    this.#lost.abort(error);
    throw error;
  }

  async #lossBy(answer: Exclude<Answer, 'granted'>): Promise<OperationalError> {
    const { host, token } = this.#right;
    if (answer === 'superseded')
      return new LostOwnershipError(
        `the monitor wants the recovery of ${host} from another job now, or not any more`,
      );
    const free = this.#last === null || (await this.#storage.putBack(host, token, this.#last));
    if (!free) return new LostOwnershipError(`another worker owns the incident of ${host} now`);
    return new InterruptedOwnershipError(
      answer === 'unknown'
        ? `Redis does not hold the monitor's mandate for the recovery of ${host}`
        : `the claim on the incident of ${host} was interrupted`,
    );
  }

  /**
   * Writes the incident down, if we still own it and are wanted; throws LostOwnershipError or InterruptedOwnershipError otherwise.
   * Returns only with a fresh confirmation: a worker that was frozen meanwhile asks again, so that what follows at once
   * cannot be minutes late.
   */
  async save(incident: Incident): Promise<void> {
    for (let round = 1; round <= mostSaves; round += 1) {
      const sentAtMs = this.#clock.steadyMs();
      // Written anew each round: another save may have been quicker, and this one must not undo it.
      const journal = stored(incident);
      const answer = await this.#storage.save(this.#right, journal);
      if (answer !== 'granted') await this.#lose(answer);
      this.#last = journal;
      if (this.#clock.steadyMs() - sentAtMs <= ownershipFreshMs) return;
    }
    throw new OperationalError(`Redis is too slow to confirm who owns the incident of ${this.#right.host}`);
  }

  /** Ends the incident: it stays readable for 90 days (for one if it was refused), and the host is free for another one. */
  async end(incident: Incident): Promise<void> {
    const seconds = incident.ended?.outcome === 'refused' ? keepRefusedSeconds : keepSeconds;
    const answer = await this.#storage.end(this.#right, stored(incident), seconds);
    if (answer !== 'granted') await this.#lose(answer);
    this.#over.abort();
  }

  /** Gives the right back without ending the incident; another worker may claim it at once. */
  async release(): Promise<void> {
    this.#over.abort();
    try {
      await this.#storage.releaseClaim(this.#right.host, this.#right.token);
    } catch {
      // Redis is away; the claim runs out by itself within seconds.
    }
  }
}

const stored = (incident: Incident): StoredJournal => ({ id: incident.id, text: JSON.stringify(incident) });
