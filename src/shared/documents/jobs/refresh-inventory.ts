// The job `refresh-inventory`: the picture of the cloud is collected anew and stored.
import { z } from 'zod';
import { failureSchema, job } from './entry.ts';

const refreshResultSchema = z.union([
  z.object({
    ok: z.literal(true),
    collectedAtMs: z.number(),
    /** Null when this refresh left the servers alone. */
    serversCollectedAtMs: z.number().nullable(),
    hypervisors: z.number(),
    servers: z.number().nullable(),
    tookMs: z.number(),
  }),
  failureSchema,
]);

export const refreshInventoryJob = job('refresh-inventory', 'work', {
  data: z.object({ servers: z.boolean(), requestedAtMs: z.number() }),
  result: refreshResultSchema,
  timeoutMs: 80_000,
  waitMs: 90_000,
  ofEachVantagePoint: false,
  concurrency: 4,
  keep: { ageSeconds: 3_600, count: 300 },
});
