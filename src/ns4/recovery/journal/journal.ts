// The journal of a recovery: what was about to be done to whom, written before it is done. It lets a second worker
// continue after the first one died, and a person read what happened. It is a help, not the truth: what Nova shows is
// looked at as well, since Redis may have lost its last second.
import { z } from 'zod';
import { progressSchema } from '../../../shared/documents/events/progress.ts';
import { instanceReportSchema } from '../../../shared/documents/jobs/evacuate.ts';
import { refusalSchema } from '../../../shared/documents/refusals/refusals.ts';
import { proofSchema } from '../../fencing/proof.ts';

const entrySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** As Nova showed it when the journal was opened: what it must be again. */
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
/** One instance of the dead host. */
export type JournalEntry = z.infer<typeof entrySchema>;

const journalSchema = z.object({
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
  /** What was told of it. */
  progress: z.array(z.object({ atMs: z.number(), progress: progressSchema })),
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
export type Journal = z.infer<typeof journalSchema>;

/** A journal from its text in Redis; throws when it is none. */
export const journalOf = (text: string): Journal => journalSchema.parse(JSON.parse(text));

/** Entries without an end yet. */
export const unfinished = (journal: Journal): JournalEntry[] =>
  Object.values(journal.instances).filter((entry) => entry.state !== 'ended');
