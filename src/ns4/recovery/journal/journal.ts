// The journal of a recovery: what was about to be done to whom, written before it is done. It lets a second worker
// continue after the first one died, and a person read what happened. It is a help, not the truth: what Nova shows is
// looked at as well, since Redis may have lost its last second.
import { z } from 'zod';
import { progressSchema } from '../../../shared/documents/events/progress.ts';
import { instanceReportSchema } from '../../../shared/documents/jobs/recover.ts';
import { refusalSchema } from '../../../shared/documents/refusals/refusals.ts';
import { planSchema, targetSchema, targetsOf } from '../../../shared/documents/terms/plan.ts';
import { isOfTheFuture, proofSchema } from '../../fencing/proof.ts';
import { lifted } from './journal-of-version-1.ts';

const entrySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** As Nova showed it when the journal was opened: what it must be again. */
  before: z.object({
    status: z.string(),
    vmState: z.string(),
    taskState: z.string().nullish(),
    /** Nova's number; null in a journal of an earlier version. */
    powerState: z.number().nullable().default(null),
    /** By the cloud's clock: whoever was heard since then is to answer again. */
    launchedAtMs: z.number().nullable().default(null),
  }),
  wave: z.number(),
  /** Where it goes now. */
  target: targetSchema,
  /** Where it goes when `target` certainly runs nothing of it; null: nowhere, or it is there already. */
  otherwise: targetSchema.nullable(),
  /** Something of it may run, or may yet be started, at a target: no other one is tried. */
  perhapsAtTarget: z.boolean(),
  /**
   * pending: nothing left for Nova; asking: a request is about to leave or left and its answer is not known;
   * asked: Nova took it; ended: see report.
   */
  state: z.enum(['pending', 'asking', 'asked', 'ended']),
  /** Requests that left, and those of them that were for an earlier target. */
  attempts: z.number(),
  attemptsElsewhere: z.number(),
  /**
   * Mover `database`: the reboot that starts it on its target is written down, or was taken by Nova; null: nothing was
   * started yet. Absent in journals of older versions: it may have been.
   */
  reboot: z.enum(['asking', 'asked']).nullable().default('asked'),
  askedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable().default(null),
  report: instanceReportSchema.nullable(),
});
/** One instance of the dead host. */
export type JournalEntry = z.infer<typeof entrySchema>;

const journalSchema = z.object({
  version: z.literal(2),
  /** Of the recovery. */
  id: z.string(),
  incident: z.string(),
  /** Which Sonny's it is, as its mark in Nova says; "": begun by a version before, whose marks do not say. */
  sonny: z.string().default(''),
  dead: z.string(),
  plan: planSchema,
  mover: z.enum(['api', 'database']),
  openedAtMs: z.number(),
  judgedAtMs: z.number(),
  evidence: z.array(z.string()),
  /** Did anything that moves an instance leave? */
  acted: z.boolean(),
  /** Proof that the dead host is off, where it is demanded; a worker that continues need not fence again. */
  proof: proofSchema.nullable(),
  /**
   * Nobody else fell silent at the shots behind the proof, as was seen then; null: it was not looked (yet), as in a
   * journal of an earlier version.
   */
  noneFellAtMs: z.number().nullable().default(null),
  /** Blocked by Ceph since then, in this recovery; null: not yet, or Ceph is not asked. */
  cutOff: z
    .object({ atMs: z.number(), addresses: z.array(z.string()) })
    .nullable()
    .default(null),
  /** What was told of it: as facts, or by the version before as a sentence. */
  progress: z.array(z.object({ atMs: z.number(), progress: z.union([progressSchema, z.string()]) })),
  instances: z.record(z.string(), entrySchema),
  /** It was heard when all of them had their end; `since`: who was moved since it was known to be silent last. */
  lifeAtEnd: z.object({ evidence: z.string(), since: z.array(z.string()) }).optional(),
  /** How it ended, for a worker that is asked for it again: the one that ended it may be lost before it could tell. */
  ended: z
    .object({
      atMs: z.number(),
      outcome: z.enum(['done', 'stopped', 'refused']),
      refusal: refusalSchema.nullable(),
    })
    .nullable(),
});
export type Journal = z.infer<typeof journalSchema>;

/** A journal as it was found in Redis, also one of the version before; null when it is none. */
export const journalOf = (found: unknown): Journal | null =>
  journalSchema.safeParse(lifted(found)).data ?? null;

/**
 * What would prove the host off, or cut off, at a time that is yet to come proves nothing: every sign of life would seem
 * to be of before. Takes it out; true when there was any.
 */
export function dropFuture(journal: Journal, nowMs: number): boolean {
  const isAhead = (of: { readonly atMs: number } | null): boolean =>
    of !== null && isOfTheFuture(of.atMs, nowMs);
  const [proof, cutOff] = [isAhead(journal.proof), isAhead(journal.cutOff)];
  if (proof) journal.proof = null;
  if (cutOff) journal.cutOff = null;
  return proof || cutOff;
}

/** What events say of the recovery that they are about. */
export const namesOf = ({ id, incident, dead, plan }: Journal) => ({
  incident,
  recovery: id,
  host: dead,
  targets: targetsOf(plan),
});

/** Entries without an end yet. */
export const unfinished = (journal: Journal): JournalEntry[] =>
  Object.values(journal.instances).filter((entry) => entry.state !== 'ended');

/** Those whose turn it is: the first wave that has not ended, and whatever was asked for already. */
export function ofTheirTurn(journal: Journal): JournalEntry[] {
  const entries = unfinished(journal);
  const wave = Math.min(...entries.map((entry) => entry.wave));
  return entries.filter((entry) => entry.wave === wave || entry.state !== 'pending');
}
