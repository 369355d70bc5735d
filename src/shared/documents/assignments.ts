// The mandate: which job may work at which recovery, as the leading monitor last saved it along with its state. ns4 asks
// for it before every dangerous step, so that nothing that a former leader asked for can change anything. Pure.
import { z } from 'zod';

export const mandateSchema = z.object({
  /** Of the leader that saved it; grows with every take-over. */
  epoch: z.number(),
  /** Of the state it was saved with; tells the leader whether Redis still holds what it saved last. */
  revision: z.number(),
  /** Id of the one job that may work at it, by incident. */
  jobs: z.record(z.string(), z.string()),
});
export type Mandate = z.infer<typeof mandateSchema>;

/** What a job has to show: whose it is, and who was leading when it was asked for. By hand there is none to show. */
export interface Warrant {
  readonly incident: string;
  readonly jobId: string;
  readonly epoch: number;
}

/** Deterministic: asking twice for an attempt is asking once. */
export const evacuateJobId = (incident: string, attempt: number): string => `evacuate-${incident}-${attempt}`;

/** The warrant that an order carries. */
export function warrantOf(order: { incident: string; attempt: number; epoch: number }): Warrant {
  const { incident, attempt, epoch } = order;
  return { incident, jobId: evacuateJobId(incident, attempt), epoch };
}

/**
 * valid: go on. superseded: the leader knows another job for this recovery, or none: nothing may be changed any more.
 * unknown: there is no mandate, or one from before the order: Redis lost it. The leader writes it again; until then
 * nothing may be changed either.
 */
export type WarrantVerdict = 'valid' | 'superseded' | 'unknown';

/** The rule; evacuation/redis-journal-storage.ts has it as a script too, as it must be one step with the change. */
export function judgeWarrant(mandate: Mandate | null, warrant: Warrant): WarrantVerdict {
  if (mandate === null || warrant.epoch > mandate.epoch) return 'unknown';
  return mandate.jobs[warrant.incident] === warrant.jobId ? 'valid' : 'superseded';
}
