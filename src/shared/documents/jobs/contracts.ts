// All jobs that may be asked of ns4 (by the monitor, an operator or another ns4), and the types that follow from their entries.
import type { z } from 'zod';
import { fenceOffJob, fenceStatusJob } from './fence.ts';
import { lookAtRecoveredJob } from './look-at-recovered.ts';
import { recoverJob } from './recover.ts';
import { refreshInventoryJob } from './refresh-inventory.ts';
import { scanJob } from './scan.ts';
import { surveySensesJob } from './survey-senses.ts';

export const contracts = {
  'refresh-inventory': refreshInventoryJob,
  scan: scanJob,
  'survey-senses': surveySensesJob,
  'look-at-recovered': lookAtRecoveredJob,
  recover: recoverJob,
  'fence-status': fenceStatusJob,
  'fence-off': fenceOffJob,
} as const;

type Contracts = typeof contracts;
export type JobName = keyof Contracts;
export type JobData<N extends JobName> = z.infer<Contracts[N]['data']>;
export type JobResult<N extends JobName> = z.infer<Contracts[N]['result']>;
export type QueueName = Contracts[JobName]['queue'];

/** Jobs that an ns4 asks of those that fence, and only they take. */
export type FenceJobName = 'fence-status' | 'fence-off';
/** Those that the monitor asks for. */
type MonitorJobName = Exclude<JobName, FenceJobName>;

/** A job asked for, or to be asked for: the id is deterministic, so asking twice is asking once. */
export type JobRequest<N extends JobName = MonitorJobName> = {
  [K in N]: { name: K; id: string; data: JobData<K> };
}[N];

/** One handler per contract; the worker takes the whole table, so a missing one does not compile. */
export type Handlers = {
  readonly [N in JobName]: (data: JobData<N>, signal: AbortSignal) => Promise<JobResult<N>>;
};

/** The handlers of one ns4: without those of fencing it takes none of their jobs. */
export type OwnHandlers = Omit<Handlers, FenceJobName> & Partial<Pick<Handlers, FenceJobName>>;

/** What a producer learns of a job it asked for. */
export type JobOutcome<N extends JobName> =
  | { readonly state: 'waiting' }
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly result: JobResult<N> }
  /** Threw, was lost with its worker (that died or stood still), or returned what the contract does not allow. */
  | { readonly state: 'failed'; readonly detail: string; readonly workerLost?: boolean }
  /** Redis knows no such job (any more). */
  | { readonly state: 'missing' };

/** What became of one of several jobs: which one it was tells what its result is. */
export type Finished<N extends JobName = JobName> = {
  [K in N]: { readonly job: K; readonly id: string; readonly outcome: JobOutcome<K> };
}[N];
