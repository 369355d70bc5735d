// What is remembered of hosts that were recovered, while they are away: what they showed last, and the alarm that
// stands.
import { z } from 'zod';
import { contracts } from '../../../shared/documents/jobs/contracts.ts';

const alarmSchema = z.object({
  sinceMs: z.number(),
  /** When it was said last, and how often. */
  saidAtMs: z.number(),
  said: z.number(),
  /** What is heard of the host, as words. */
  evidence: z.array(z.string()),
  /** Names of the instances that may run twice; none: nobody knows which. */
  instances: z.array(z.string()),
  /** Why nobody can tell whether they do; null: Nova told. */
  untold: z.string().nullable().default(null),
});
/** Instances may run on two hosts. */
export type Alarm = z.infer<typeof alarmSchema>;

const awaySchema = z.object({
  host: z.string(),
  incident: z.string(),
  /** The newest report of its nova-compute; null: none was seen yet. */
  reportedAtMs: z.number().nullable(),
  /**
   * In how many looks in a row it was newer than before. Once is no evidence: whoever changes the service moves its time
   * as well.
   */
  reports: z.number(),
  alarm: alarmSchema.nullable(),
  /** Names of the instances that may run twice, as Nova told it last; null: it never was asked. */
  left: z
    .object({ atMs: z.number(), instances: z.array(z.string()) })
    .nullable()
    .default(null),
  /** Its return was looked at and told. */
  isChecked: z.boolean(),
  /** Somebody gave his word that nothing of the moved instances runs there. */
  isCleared: z.boolean(),
});
export type Away = z.infer<typeof awaySchema>;

const hosts = z.array(awaySchema);

/** Where the watch over returns stands. */
export const returnsPhaseSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('resting'), nextLookMs: z.number(), hosts }),
  z.object({
    kind: z.literal('looking'),
    sinceMs: z.number(),
    job: contracts['look-at-recovered'].request,
    hosts,
  }),
]);
export type ReturnsPhase = z.infer<typeof returnsPhaseSchema>;

/** Nobody was looked at yet. */
export const firstReturnsPhase: ReturnsPhase = { kind: 'resting', nextLookMs: 0, hosts: [] };
