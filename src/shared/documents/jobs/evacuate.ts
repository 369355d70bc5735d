// The job `evacuate` of the version before: the recovery of one dead hypervisor onto one spare. For one release a worker
// still takes it, as a job `recover`.
import { z } from 'zod';
import { planOntoSpare, targetsText } from '../plan.ts';
import { job } from './entry.ts';
import {
  instanceReportSchema,
  type RecoverData,
  type RecoveryReport,
  recoverDataSchema,
  recoverJob,
  recoveryReportSchema,
} from './recover.ts';

/** A report of the version before, which knew one spare and not where each instance went. */
export const evacuationReportSchema = recoveryReportSchema.omit({ recovery: true, targets: true }).extend({
  spare: z.string(),
  instances: z.array(instanceReportSchema.extend({ to: z.string().nullable().default(null) })),
});
export type EvacuationReport = z.infer<typeof evacuationReportSchema>;

const evacuateDataSchema = recoverDataSchema
  .omit({ recovery: true, plan: true, despite: true, byHand: true })
  .extend({
    spare: z.string(),
    epoch: z.number().default(0),
    proofDemanded: z.boolean().optional(),
  });
export type EvacuateData = z.infer<typeof evacuateDataSchema>;

export const evacuateJob = job('evacuate', 'evacuate', {
  data: evacuateDataSchema,
  result: evacuationReportSchema,
  timeoutMs: recoverJob.timeoutMs,
  waitMs: recoverJob.waitMs,
  ofEachVantagePoint: false,
  concurrency: recoverJob.concurrency,
  keep: recoverJob.keep,
});

/** The same recovery as a job of this version. Its journal goes by the incident's id, as it did then. */
export function recoverDataOf({ spare, ...data }: EvacuateData): RecoverData {
  return {
    ...data,
    recovery: data.incident,
    plan: planOntoSpare(spare),
    proofDemanded: data.proofDemanded ?? false,
    despite: [],
    byHand: false,
  };
}

/** A report as the version before knows it, for whoever asked by a job `evacuate`. */
export function evacuationReportOf({ recovery: _, targets, ...report }: RecoveryReport): EvacuationReport {
  return { ...report, spare: targetsText(targets) };
}

/** A report of the version before as one of this version. */
export function recoveryReportOf({ spare, ...report }: EvacuationReport): RecoveryReport {
  return { ...report, recovery: report.incident, targets: [{ kind: 'host', host: spare }] };
}
