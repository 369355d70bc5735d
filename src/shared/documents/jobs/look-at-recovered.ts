// The job `look-at-recovered`: what hosts that were recovered show of themselves, and whether Nova has cleared up there.
// One that is silent costs two small questions and a scan; the rest is asked only of whoever is heard.
import { z } from 'zod';
import { failureSchema, job } from './entry.ts';

const askedSchema = z.object({
  host: z.string(),
  /** Heartbeats of its agents after this are heard. */
  sinceMs: z.number(),
  /** Reports of its nova-compute after this are; null: none is known, so none counts yet. */
  reportedAtMs: z.number().nullable(),
  /** Not all of its instances were moved: those that are left are asked as well. */
  hasLeft: z.boolean(),
});

const clearingSchema = z.object({
  /**
   * Evacuations away from it, of instances that still exist, that Nova calls neither completed nor failed: its
   * nova-compute has not destroyed what it ran of them.
   */
  unfinished: z.array(z.object({ id: z.string(), name: z.string() })),
  /** Ids of the instances that Nova has any evacuation away from it on record for. */
  recorded: z.array(z.string()),
  /** How many instances Nova still has on it. */
  listed: z.number(),
});

const shownSchema = z.object({
  /** How its address answered a scan; null: it did not. */
  answers: z.string().nullable(),
  /** Names of instances that Nova still has on it and that answer, where they were asked. */
  guests: z.array(z.string()),
  /** The youngest heartbeat of its agents; null: it has none. */
  heartbeatAtMs: z.number().nullable(),
  /** When its nova-compute reported last, or somebody changed that service. */
  reportedAtMs: z.number().nullable(),
  /** Null: nothing of it was heard, so nobody asked; or Nova did not answer, see `unknown`. */
  clearing: clearingSchema.nullable(),
  /**
   * Why not all of this is known (Nova or Neutron did not answer, the scan failed); null: it is. What is empty or null
   * beside it may be so for want of an answer.
   */
  unknown: z.string().nullable().default(null),
});
/** What one of them shows. Times are by the clock of the ns4 that looked. */
export type Shown = z.infer<typeof shownSchema>;
export type AskedAbout = z.infer<typeof askedSchema>;

/** With one job; the others have their turn with the next. */
export const mostRecoveredAtOnce = 8;

export const lookAtRecoveredJob = job('look-at-recovered', 'work', {
  data: z.object({ hosts: z.array(askedSchema).max(mostRecoveredAtOnce), requestedAtMs: z.number() }),
  result: z.union([
    z.object({ ok: z.literal(true), hosts: z.record(z.string(), shownSchema) }),
    failureSchema,
  ]),
  // Nova and Neutron twice, each within its limit, and a scan that waits for a vantage point that hangs.
  timeoutMs: 110_000,
  waitMs: 120_000,
  ofEachVantagePoint: false,
  concurrency: 4,
  keep: { ageSeconds: 3_600, count: 100 },
});
