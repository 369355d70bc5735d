// The job `recover`: a plan is carried out for one dead hypervisor, and the report it ends with.
import { z } from 'zod';
import { refusalSchema } from '../refusals/refusals.ts';
import { planSchema, targetSchema } from '../terms/plan.ts';
import { job } from './entry.ts';
import { portSchema, scanTargetSchema } from './scan.ts';

/** What became of one instance of a dead host. */
export const instanceReportSchema = z.object({
  id: z.string(),
  name: z.string(),
  outcome: z.enum(['recovered', 'skipped', 'failed', 'unfinished']),
  /** Why skipped, failed or unfinished, in Nova's own words where it had some; null when recovered. */
  why: z.string().nullable(),
  /** Status before and after, as Nova showed it. */
  before: z.string(),
  after: z.string().nullable(),
  /** The host it went to; null when it did not move, or nobody knows. */
  to: z.string().nullable(),
  tookMs: z.number().nullable(),
  /**
   * Of a recovered one that answered before: does it answer again? Null: it did not, or it was not asked, or nobody
   * could tell.
   */
  answers: z.boolean().nullable().default(null),
  /**
   * The task of an order of its user (`powering-on`, `rebooting`…) that waits for the dead host's nova-compute, and that
   * it would carry out when it returns.
   */
  pending: z.string().optional(),
});
export type InstanceReport = z.infer<typeof instanceReportSchema>;

/** Why an instance is unfinished that may be started at its target yet. */
export const askedForOnly = 'asked for, its end was not awaited';

export const recoveryReportSchema = z.object({
  incident: z.string(),
  recovery: z.string(),
  dead: z.string(),
  /** Where its instances were to go. */
  targets: z.array(targetSchema),
  /**
   * done: every instance was dealt with (see `instances`); refused: stopped before the first change;
   * stopped: stopped after changes were made (`refusal` says why); handed-back: the worker was told to stop, another
   * one is to continue; superseded: another worker owns the recovery now, or the monitor gave it to another job.
   */
  outcome: z.enum(['done', 'refused', 'stopped', 'handed-back', 'superseded']),
  refusal: refusalSchema.nullable(),
  /** Did anything that moves an instance leave for Nova or MySQL? Then the cooldown stands. */
  acted: z.boolean(),
  instances: z.array(instanceReportSchema),
  /** The host was heard at the end of a recovery that was done: how, and who was moved since it was silent last. */
  lifeAtEnd: z.object({ evidence: z.string(), since: z.array(z.string()) }).optional(),
  tookMs: z.number(),
});
export type RecoveryReport = z.infer<typeof recoveryReportSchema>;

const recoverDataSchema = z.object({
  incident: z.string(),
  /** Id of the recovery, which names its journal; see incident-id.ts. */
  recovery: z.string(),
  dead: z.string(),
  plan: planSchema,
  /** 1, then one more each time a worker was lost with the job. */
  attempt: z.number().int().min(1),
  /** Of the monitor that led when this attempt was decided; see assignments.ts. */
  epoch: z.number(),
  requestedAtMs: z.number(),
  /** Not begun by then: refused as too late, as the evidence is old. */
  startByMs: z.number(),
  /** When the host was judged dead: a heartbeat later than this means that it came back. */
  judgedAtMs: z.number(),
  /** What the verdict rests on, for the journal, as sentences. */
  evidence: z.array(z.string()),
  /** The dead hypervisor's address as last known, scanned again while the inventory is refreshed. */
  address: z.string().nullable(),
  /** Healthy hypervisors to probe along as controls. */
  controls: z.array(scanTargetSchema),
  /** The ports at which its guests were asked; an ns4 that has other ones asks them there as well. */
  instancePorts: z.array(portSchema).optional(),
  /**
   * The monitor judged with less evidence, as the host will be proven to be off: an ns4 that cannot do that refuses.
   */
  proofDemanded: z.boolean(),
  /** The monitor asked Ceph: an ns4 that cannot cut the host off from it needs a proof instead, or refuses. */
  cutOffDemanded: z.boolean().optional(),
  /** No vantage point ever heard the host, but guests of it that were heard fell silent: its own silence need not count. */
  judgedByGuests: z.boolean().optional(),
  /** Gates that an operator waived, by name. */
  despite: z.array(z.string()),
  /** An operator's order: an open recovery of this host with the same targets is continued under its own journal. */
  byHand: z.boolean(),
  /**
   * Which Sonny orders it: its mark in Nova is told from that of another one, which shares no Redis with it, by this.
   * "": ordered by a version before, whose marks do not say.
   */
  sonny: z.string().default(''),
});
export type RecoverData = z.infer<typeof recoverDataSchema>;

export const recoverJob = job('recover', 'recover', {
  data: recoverDataSchema,
  result: recoveryReportSchema,
  timeoutMs: 3_600_000,
  waitMs: 3_700_000,
  ofEachVantagePoint: false,
  concurrency: 8,
  // Longer than the others: a repeated request with the same id must stay without effect.
  keep: { ageSeconds: 30 * 86_400, count: 1_000 },
});
