// Jobs over BullMQ: the only file that imports it. A channel that asks for jobs by deterministic ids and learns what
// became of them; a worker that runs the handlers with a time limit. No rule about recovery lives here.
import { setTimeout as delay } from 'node:timers/promises';
import { type Job, Queue, QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import type { RedisSettings } from '../config/settings.ts';
import {
  contracts,
  type JobData,
  type JobName,
  type JobOutcome,
  type OwnHandlers,
  type QueueName,
} from '../documents/jobs/contracts.ts';
import { distrustText } from '../documents/terms/distrust.ts';
import { answerWithin, systemClock } from '../ground/clock.ts';
import { errorText, OperationalError } from '../ground/errors.ts';
import { groupBy } from '../ground/group-by.ts';
import { listenedToByMany } from '../ground/listened-to.ts';
import type { Log } from '../ground/log.ts';
import { timings } from '../ground/timings.ts';
import type { Mask } from '../masks/secrets.ts';
import { boundedCommands, redisOptions } from '../redis/connect.ts';
import { keysOf } from '../redis/keys.ts';
import { nonceOf, type Trust } from '../trust/trust.ts';
import { QueueMender } from './queue-mending.ts';

/**
 * The queues of these jobs, each once however many jobs share it: two workers or two channels on one queue would count as
 * two ns4, and the second channel would never be closed. It works on as many jobs as the widest of them allows.
 */
export function queuesOf<Q extends string>(
  jobs: readonly { readonly queue: Q; readonly ofEachVantagePoint: boolean; readonly concurrency: number }[],
): { queue: Q; ofEachVantagePoint: boolean; concurrency: number }[] {
  return [...groupBy(jobs, ({ queue }) => queue)].map(([queue, sharing]) => ({
    queue,
    ofEachVantagePoint: sharing.some(({ ofEachVantagePoint }) => ofEachVantagePoint),
    concurrency: Math.max(...sharing.map(({ concurrency }) => concurrency)),
  }));
}
const queues = queuesOf<QueueName>(Object.values(contracts));
/** The queue on which those work that fence, for the others: no monitor asks there. */
export const fenceQueue = contracts['fence-off'].queue;
/** Queues any ns4 works on; of the others each vantage point has one of its own. */
export const sharedQueues: readonly QueueName[] = queues
  .filter(({ queue, ofEachVantagePoint }) => !ofEachVantagePoint && queue !== fenceQueue)
  .map(({ queue }) => queue);
/** The queue of one vantage point, which its name tells from the others. */
export const scanQueue = (vantagePoint: string): string => `${contracts.scan.queue}-${vantagePoint}`;

/** One queue as its producer has it, with word of what finished when somebody listens. */
export class Channel {
  readonly #queue: Queue;
  readonly #events: QueueEvents | null;
  readonly #trust: Trust;
  readonly #mender: QueueMender;

  constructor(
    name: string,
    settings: RedisSettings,
    cloud: string,
    trust: Trust,
    log: Log,
    onFinished: ((id: string) => void) | null,
  ) {
    this.#trust = trust;
    this.#mender = new QueueMender(name, settings, cloud, log);
    const { prefix } = keysOf(cloud);
    const options = { ...redisOptions(settings, cloud), maxRetriesPerRequest: null };
    // Bounded by a time limit instead of failing at once: BullMQ keeps the failure of its first commands, so that a
    // queue opened a moment before its connection stands would be lost for good. What is sent late does no harm, as
    // ids are deterministic and old orders are refused.
    this.#queue = new Queue(name, {
      connection: { ...options, ...boundedCommands },
      prefix,
    });
    this.#queue.on('error', (error) => log.debug({ error: errorText(error) }, 'job queue'));
    this.#events = onFinished === null ? null : new QueueEvents(name, { connection: options, prefix });
    this.#events?.on('completed', ({ jobId }) => onFinished?.(jobId));
    this.#events?.on('failed', ({ jobId }) => onFinished?.(jobId));
    this.#events?.on('error', (error) => {
      log.debug({ error: errorText(error) }, 'job events');
      if (QueueMender.isCause(error)) void this.#mender.mend();
    });
  }

  async add<N extends JobName>(name: N, id: string, data: JobData<N>): Promise<void> {
    const { ageSeconds, count } = contracts[name].keep;
    const kept = { age: ageSeconds, count };
    const asked: object = contracts[name].data.parse(data);
    const sealed = this.#trust.seal('job', jobSubject(this.#queue.name, name, id), asked);
    await this.#mending(id, () =>
      this.#queue.add(name, sealed, {
        jobId: id,
        // A job that fails is the monitor's to decide on, never BullMQ's to repeat.
        attempts: 1,
        removeOnComplete: kept,
        removeOnFail: kept,
      }),
    );
  }

  outcome<N extends JobName>(name: N, id: string): Promise<JobOutcome<N>> {
    return this.#mending(id, () => this.#outcome(name, id));
  }

  /** Once more when something in the way of it was removed. */
  async #mending<T>(id: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!QueueMender.isCause(error) || !(await this.#mender.mend(id))) throw error;
      return act();
    }
  }

  async #outcome<N extends JobName>(name: N, id: string): Promise<JobOutcome<N>> {
    const job: Job | undefined = await this.#queue.getJob(id);
    if (job === undefined) return { state: 'missing' };
    const state = await job.getState();
    if (state === 'active') return { state: 'running' };
    if (state === 'unknown') {
      // It is in no list, which Redis lost or somebody spoilt: while it is there it cannot be asked for again.
      await this.#queue.remove(id);
      return { state: 'missing' };
    }
    if (state !== 'completed' && state !== 'failed') return { state: 'waiting' };
    // Read again: the first read may be from before the job finished.
    const finished: Job | undefined = await this.#queue.getJob(id);
    if (state === 'failed') return failure(finished?.failedReason);
    const subject = outcomeSubject(this.#queue.name, name, id, finished?.data);
    const distrust = this.#trust.distrusts('outcome', subject, finished?.returnvalue);
    if (distrust !== null) return { state: 'failed', detail: distrustText(distrust) };
    const result = contracts[name].result.safeParse(finished?.returnvalue);
    return result.success
      ? ({ state: 'done', result: result.data } as JobOutcome<N>)
      : {
          state: 'failed',
          detail: 'its result is not what the contract says (do ns4 and monitor have one version?)',
        };
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#mending(id, () => this.#queue.remove(id))) === 1;
  }

  /** BullMQ alone would wait for Redis without end. */
  workers(): Promise<number> {
    return answerWithin(systemClock, timings.redis.commandMs, this.#queue.getWorkersCount());
  }

  async close(): Promise<void> {
    await Promise.all([this.#queue.close(), this.#events?.close()]);
  }
}

/** What a seal on a job is bound to: it is good for no other job, and in no other queue. */
const jobSubject = (queue: string, name: string, id: string): string => `${queue}/${name}/${id}`;
/** A result is that of the very request, which its nonce tells from an earlier one under the same id. */
const outcomeSubject = (queue: string, name: string, id: string, data: unknown): string =>
  `${jobSubject(queue, name, id)} ${nonceOf(data) ?? ''}`.trim();

/** All that BullMQ tells of a job whose worker did not renew its lock. */
const stalledReason = 'job stalled more than allowable limit';

function failure(reason: string | undefined) {
  return reason === stalledReason
    ? ({ state: 'failed', detail: 'its ns4 died or stood still', workerLost: true } as const)
    : ({ state: 'failed', detail: reason ?? 'no reason given' } as const);
}

/** Runs the handlers for the jobs of one cloud until closed; scans for the vantage point of this name. */
export class JobWorker {
  readonly #workers: Worker[];
  readonly #mask: Mask;
  readonly #stopper = new AbortController();

  readonly #trust: Trust;

  /** `mask`: why a job failed is kept in Redis, and goes on to Slack. */
  constructor(
    settings: RedisSettings,
    cloud: string,
    trust: Trust,
    handlers: OwnHandlers,
    vantagePoint: string,
    log: Log,
    mask: Mask = (text) => text,
  ) {
    this.#trust = trust;
    this.#mask = mask;
    const { prefix } = keysOf(cloud);
    const connection = { ...redisOptions(settings, cloud), maxRetriesPerRequest: null };
    const own = queues.filter(({ queue }) => queue !== fenceQueue || handlers['fence-off'] !== undefined);
    this.#workers = own.map(({ queue, ofEachVantagePoint, concurrency }) => {
      const name = ofEachVantagePoint ? scanQueue(vantagePoint) : queue;
      const mender = new QueueMender(name, settings, cloud, log);
      const worker = new Worker(
        name,
        (job: Job, _token?: string, signal?: AbortSignal) => this.#run(job, handlers, signal, log),
        {
          connection,
          prefix,
          concurrency,
          lockDuration: timings.job.lockMs,
          stalledInterval: timings.job.stalledCheckMs,
          // A job whose worker died fails at once; whether and how to go on is the monitor's decision.
          maxStalledCount: 0,
        },
      );
      // A worker that was frozen and thawed no longer holds its lock: somebody else may be at work by now.
      worker.on('lockRenewalFailed', (ids: string[]) => {
        for (const id of ids) worker.cancelJob(id, 'lock lost');
      });
      worker.on('error', (error) => {
        log.debug({ error: errorText(error) }, 'worker');
        if (QueueMender.isCause(error)) void mender.mend();
      });
      return worker;
    });
  }

  /** False when the loop of one of its queues ended: BullMQ tells its error handler of that, and nobody else. */
  get isWorking(): boolean {
    return this.#workers.every((worker) => worker.isRunning());
  }

  async #run(
    job: Job,
    handlers: OwnHandlers,
    lockSignal: AbortSignal | undefined,
    log: Log,
  ): Promise<unknown> {
    const name = job.name as JobName;
    if (!Object.hasOwn(contracts, name)) throw new UnrecoverableError(`this ns4 knows no job "${job.name}"`);
    const contract = contracts[name];
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new Error(`not finished after ${contract.timeoutMs / 1000} s`)),
      contract.timeoutMs,
    );
    const signals = [this.#stopper.signal, timeout.signal, ...(lockSignal ? [lockSignal] : [])];
    const startedAtMs = Date.now();
    log.debug({ job: name, id: job.id }, 'job begins');
    try {
      // One cast: the table's type ties each handler to its own contract, which TypeScript cannot follow by name.
      const handler = handlers[name] as (data: unknown, signal: AbortSignal) => Promise<unknown>;
      const result = await handler(this.#believed(job, name), listenedToByMany(AbortSignal.any(signals)));
      log.debug({ job: name, id: job.id, tookMs: Date.now() - startedAtMs }, 'job done');
      const told: object = contract.result.parse(result);
      return this.#trust.seal('outcome', outcomeSubject(job.queueName, name, job.id ?? '', job.data), told);
    } catch (error) {
      log.error({ job: name, id: job.id, error: errorText(error) }, `job ${name} failed`);
      throw new UnrecoverableError(this.#mask(errorText(error)));
    } finally {
      clearTimeout(timer);
    }
  }

  /** What is asked for, by whoever may ask, for the first time. @throws OperationalError when it is not believed */
  #believed(job: Job, name: JobName): unknown {
    // Whoever asked does not wait any longer.
    const limits = { mostAgeMs: contracts[name].waitMs };
    const subject = jobSubject(job.queueName, name, job.id ?? '');
    const distrust = this.#trust.distrusts('job', subject, job.data, limits);
    if (distrust !== null) throw new OperationalError(distrustText(distrust));
    this.#trust.takeOnce(job.data, limits);
    return contracts[name].data.parse(job.data);
  }

  /** Aborts what runs (handlers hand back what they can), waits for it, and closes. */
  async close(): Promise<void> {
    this.#stopper.abort(new Error('this ns4 is being stopped'));
    await closeAll(this.#workers);
  }
}

/**
 * BullMQ waits without end for a Redis that is away: closing is given up after a while, and the process ends anyway.
 */
export async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  const closed = Promise.allSettled(parts.map((part) => part.close()));
  await Promise.race([closed, delay(timings.job.closeMs, undefined, { ref: false })]);
}
