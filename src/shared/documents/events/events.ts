// Events: what Sonny says. Appended to a capped stream and published by monitor and ns4, relayed by sonny.
// An event carries its facts and the finished sentence, so that every reader says the same words.
import { z } from 'zod';
import { fencingModeSchema } from '../fencing-mode.ts';
import { evacuationReportSchema, instanceReportSchema } from '../jobs/evacuate.ts';
import { refusalSchema } from '../refusals/refusals.ts';

export const eventLevels = ['debug', 'info', 'warning', 'error'] as const;
export type EventLevel = (typeof eventLevels)[number];

const factsSchema = z.discriminatedUnion('kind', [
  /** A monitor leads from now on; `resumed`: it goes on from a state that was there before. */
  z.object({
    kind: z.literal('monitor-started'),
    resumed: z.boolean(),
    who: z.string(),
    epoch: z.number(),
    /** Absent in events of a version that knew no fencing. */
    fencing: fencingModeSchema.optional(),
  }),
  z.object({ kind: z.literal('monitor-stopped') }),
  z.object({
    kind: z.literal('suspects-found'),
    hosts: z.array(z.object({ host: z.string(), silentMs: z.number() })),
  }),
  z.object({ kind: z.literal('refused'), refusal: refusalSchema }),
  /** A standing refusal or suspicion about `scope` (a host, or "cloud") is over. */
  z.object({ kind: z.literal('cleared'), scope: z.string(), of: z.string() }),
  /** The host scan was sighted and found them silent; their instances are asked next. */
  z.object({
    kind: z.literal('hosts-silent'),
    hosts: z.array(z.object({ host: z.string(), detail: z.string() })),
  }),
  z.object({ kind: z.literal('host-dead'), host: z.string(), evidence: z.array(z.string()) }),
  z.object({
    kind: z.literal('evacuation-requested'),
    incident: z.string(),
    dead: z.string(),
    spare: z.string(),
  }),
  z.object({
    kind: z.literal('evacuation-continued'),
    incident: z.string(),
    dead: z.string(),
    spare: z.string(),
    attempt: z.number(),
    why: z.string(),
  }),
  z.object({
    kind: z.literal('evacuation-step'),
    incident: z.string(),
    dead: z.string(),
    spare: z.string(),
    step: z.string(),
  }),
  z.object({
    kind: z.literal('instance'),
    incident: z.string(),
    dead: z.string(),
    spare: z.string(),
    instance: instanceReportSchema,
  }),
  z.object({ kind: z.literal('evacuation-ended'), report: evacuationReportSchema }),
  z.object({
    kind: z.literal('evacuation-lost'),
    incident: z.string(),
    dead: z.string(),
    spare: z.string(),
    why: z.string(),
  }),
  z.object({ kind: z.literal('disabled-with-instances'), host: z.string(), instances: z.number() }),
  z.object({ kind: z.literal('backoff-over'), rounds: z.number() }),
  /** An operator gave the word that a host is off. */
  z.object({ kind: z.literal('fence-confirmed'), host: z.string(), by: z.string() }),
  z.object({ kind: z.literal('cooldown-reset'), by: z.string() }),
  z.object({ kind: z.literal('hold-lifted'), by: z.string() }),
]);
export type EventFacts = z.infer<typeof factsSchema>;

export const eventSchema = z.object({
  version: z.literal(1),
  cloud: z.string(),
  atMs: z.number(),
  level: z.enum(eventLevels),
  text: z.string(),
  facts: factsSchema,
});
export type SonnyEvent = z.infer<typeof eventSchema>;
