// The jobs by which an ns4 without a way to the fence devices has another one ask and tell them: what they show of a
// host, and `off` by one level. Only ns4 that fence work on their queue.
import { z } from 'zod';
import { fenceFailureSchema } from '../refusals/of-recoveries.ts';
import { failureSchema, job } from './entry.ts';

const powerSchema = z.object({
  says: z.enum(['on', 'off', 'unknown']),
  /** The device's own words, masked. */
  said: z.string(),
});

/** From 1. */
const number = z.number().int();

const levelSchema = z.union([
  /** The one that is built in: whoever decides asks and tells Ceph himself. */
  z.object({ number, kind: z.literal('ceph'), devices: z.tuple([]).readonly() }),
  z.object({
    number,
    /** It only hears crash kernels, and switches nothing. */
    isListener: z.boolean(),
    /** Each by its agent's name; `power` null: it was not asked. */
    devices: z.array(z.object({ agent: z.string(), power: powerSchema.nullable() })).min(1),
    kind: z.undefined().optional(),
  }),
]);

/** Which plan of fencing the answer is by, and who gave it. */
const answered = { by: z.string(), plan: z.string() };

export const fenceStatusJob = job('fence-status', 'fence', {
  data: z.object({
    host: z.string(),
    /** Only this level; null: all. */
    level: z.number().int().nullable(),
    /** Which of its devices are asked, by their places from 0; null: all; empty: none, only the levels are told. */
    devices: z.array(z.number().int()).nullable(),
    /** For each device. */
    timeoutMs: z.number(),
    requestedAtMs: z.number(),
  }),
  result: z.union([
    z.object({ ok: z.literal(true), ...answered, levels: z.array(levelSchema) }),
    failureSchema,
  ]),
  timeoutMs: 40_000,
  waitMs: 45_000,
  ofEachVantagePoint: false,
  concurrency: 16,
  keep: { ageSeconds: 600, count: 50 },
});

/** Under whose lock a host may be told `off`, and for which job of the monitor's; by hand there is none. */
const fenceRightSchema = z.object({
  token: z.string(),
  assignment: z.object({ recovery: z.string(), jobId: z.string(), epoch: z.number() }).nullable(),
});
export type FenceRight = z.infer<typeof fenceRightSchema>;

const deviceEndSchema = z.object({
  device: z.number().int(),
  effect: z.enum(['taken', 'none', 'unknown']),
  seenOff: z.boolean(),
});

/** What became of it: see LevelResult. `afterMs`: when it was off, since the job was begun, by the steady clock there. */
const endedSchema = z.union([
  z.object({
    ...{ off: z.literal(true), afterMs: z.number(), output: z.string() },
    told: z.array(deviceEndSchema),
  }),
  z.object({ off: z.literal(false), failure: fenceFailureSchema, told: z.array(deviceEndSchema) }),
]);

/** Whoever answers took the order itself, so that nobody else did; otherwise another one may have, and told. */
const took = z.boolean();

export const fenceOffJob = job('fence-off', 'fence', {
  data: z.object({
    host: z.string(),
    level: z.number().int(),
    /** Agents of that level, and the plan that it is one of: another plan may name another machine. */
    agents: z.array(z.string()),
    plan: z.string(),
    /** Which devices are told, by their places from 0; null: all. The others are only asked. */
    tell: z.array(z.number().int()).nullable(),
    timeoutMs: z.number(),
    /** Null: a listener, which is told nothing. Otherwise the order that is to be taken right before it is told. */
    order: z
      .object({
        id: z.string(),
        right: fenceRightSchema,
        /** After this nobody is told any more. By the clock of Redis. */
        untilMs: z.number(),
      })
      .nullable(),
    requestedAtMs: z.number(),
  }),
  result: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('ended'), by: z.string(), took, end: endedSchema }),
    /** Whoever answers told nobody anything, and will not. */
    z.object({ kind: z.literal('not-told'), by: z.string(), took, why: z.string() }),
  ]),
  // As long as [FENCING] timeout may be, and the looks after it.
  timeoutMs: 330_000,
  waitMs: 345_000,
  ofEachVantagePoint: false,
  concurrency: 16,
  keep: { ageSeconds: 3_600, count: 100 },
});
