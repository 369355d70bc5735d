// The assignments: which job may work at which recovery, as the leading monitor last saved them along with its state.
// ns4 asks for them before every dangerous step, so that nothing that a former leader asked for changes anything. Pure.
import { z } from 'zod';

const assignmentsSchema = z.object({
  /** Of the leader that saved them; grows with every take-over. */
  epoch: z.number(),
  /** Of the state they were saved with; tells the leader whether Redis still holds what it saved last. */
  revision: z.number(),
  /** Id of the one job that may work at it, by recovery. */
  jobs: z.record(z.string(), z.string()),
});
export type Assignments = z.infer<typeof assignmentsSchema>;

/** @throws ZodError when they are none */
export const readAssignments = (found: unknown): Assignments => assignmentsSchema.parse(found);

/** Of two of one cloud: epochs only grow, and revisions do within one. */
export const isEarlier = (
  a: Pick<Assignments, 'epoch' | 'revision'>,
  b: Pick<Assignments, 'epoch' | 'revision'>,
): boolean => (a.epoch === b.epoch ? a.revision < b.revision : a.epoch < b.epoch);

/** What a job has to show: whose it is, and who led when it was asked for. By hand there is none to show. */
export interface AssignmentToken {
  readonly recovery: string;
  readonly jobId: string;
  readonly epoch: number;
}

/** Deterministic: asking twice for an attempt is asking once. */
export const recoverJobId = (recovery: string, attempt: number): string => `recover-${recovery}-${attempt}`;

/** The token that a job's data carry. */
export function assignmentTokenOf(data: {
  readonly recovery: string;
  readonly attempt: number;
  readonly epoch: number;
}): AssignmentToken {
  const { recovery, attempt, epoch } = data;
  return { recovery, jobId: recoverJobId(recovery, attempt), epoch };
}

/**
 * valid: go on. superseded: the leader wants another job for this recovery, or none: nothing may be changed any more.
 * unknown: there are no assignments, or ones from before the job: Redis lost them. The leader writes them again; until
 * then nothing may be changed either.
 */
type AssignmentVerdict = 'valid' | 'superseded' | 'unknown';

/** The rule. The storage of the journals has it as a script too, as it must be one step with the change. */
export function judgeAssignment(assignments: Assignments | null, token: AssignmentToken): AssignmentVerdict {
  if (assignments === null || token.epoch > assignments.epoch) return 'unknown';
  return assignments.jobs[token.recovery] === token.jobId ? 'valid' : 'superseded';
}
