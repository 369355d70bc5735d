// The status: how a cloud's monitor stands, published with every save, for whoever is asked. It answers without a look
// into the monitor's private state.
import { z } from 'zod';
import { recoveryReportSchema } from './jobs/recover.ts';
import { fencingModeSchema } from './terms/fencing-mode.ts';
import { targetSchema } from './terms/plan.ts';
import { scopeSchema } from './terms/scope.ts';

/** A refusal that stands, with its sentence. */
const standingSchema = z.object({ name: z.string(), sinceMs: z.number(), text: z.string() });

const incidentStatusSchema = z.object({
  id: z.string(),
  subject: scopeSchema,
  stage: z.string(),
  openedAtMs: z.number(),
  /** Why nothing is done about it; null: something is, or nothing was found yet. */
  raised: standingSchema.nullable(),
  /** How many recoveries were begun. */
  recoveries: z.number(),
  recovery: z
    .object({
      id: z.string(),
      targets: z.array(targetSchema),
      sinceMs: z.number(),
      /** Jobs that worked at it, the present one included. */
      attempt: z.number(),
    })
    .nullable(),
});

export const statusSchema = z.object({
  version: z.literal(1),
  cloud: z.string(),
  /** When it was published: with every change. */
  atMs: z.number(),
  leader: z.object({ who: z.string(), epoch: z.number() }),
  /** What the leader was configured to do. */
  policy: z.object({
    fencing: fencingModeSchema,
    deadBackoff: z.number(),
    suspiciousBackoff: z.number(),
    cooldownMs: z.number(),
    heartbeatPeriodMs: z.number(),
    monitorPeriodMs: z.number(),
  }),
  /** Redis lost what was known, and nobody accepted it yet. */
  safeMode: z.object({ sinceMs: z.number(), why: z.string() }).nullable(),
  /** The last recovery began at `sinceMs`, and no other one does until `untilMs`. */
  cooldown: z.object({ sinceMs: z.number(), untilMs: z.number() }).nullable(),
  /** What stands about the cloud, its zones and aggregates. */
  raised: z.array(standingSchema.extend({ scope: scopeSchema })),
  /** Where each watch stands; `dueAtMs`: when it goes on by itself. */
  watches: z.array(z.object({ name: z.string(), phase: z.string(), dueAtMs: z.number() })),
  incidents: z.array(incidentStatusSchema),
  /** Recovered hosts that are heard again while instances may run on them and elsewhere. */
  runningTwice: z.array(z.object({ host: z.string(), sinceMs: z.number(), text: z.string() })).default([]),
  /** Of the recoveries that ended last, the newest last. */
  reports: z.array(recoveryReportSchema),
});
export type Status = z.infer<typeof statusSchema>;
