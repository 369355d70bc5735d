// The job `survey-senses`: which hypervisors too few senses could tell dead, if they died now.
import { z } from 'zod';
import { failureSchema, job } from './entry.ts';

const unjudgedSchema = z.object({
  host: z.string(),
  /** Words that follow its name: "has no instance that was ever heard". */
  reason: z.string(),
  /** What would change it. */
  help: z.string(),
});
export type Unjudged = z.infer<typeof unjudgedSchema>;

/** In one result; of a cloud that is misconfigured altogether some are enough to see why. */
export const mostUnjudged = 100;

export const surveySensesJob = job('survey-senses', 'work', {
  data: z.object({
    /** Whoever is silent is proven off before a recovery, so the silence of instances is not demanded. */
    isProven: z.boolean(),
    requestedAtMs: z.number(),
  }),
  result: z.union([
    z.object({
      ok: z.literal(true),
      /** Sorted by host. */
      unjudged: z.array(unjudgedSchema).max(mostUnjudged),
      /** All of them, of how many hypervisors with instances. */
      count: z.number(),
      of: z.number(),
    }),
    failureSchema,
  ]),
  timeoutMs: 80_000,
  waitMs: 90_000,
  ofEachVantagePoint: false,
  concurrency: 1,
  keep: { ageSeconds: 3_600, count: 20 },
});
