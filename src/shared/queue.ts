// Jobs over BullMQ: the only file that imports it. A producer that asks for jobs by deterministic ids and learns what
// became of them; a worker that runs the handlers with a time limit. No rule about recovery lives here.
import { setTimeout as delay } from 'node:timers/promises';
import { type Job, Queue, QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import type { RedisSettings } from './config/settings.ts';
import {
  contracts,
  type Handlers,
  type JobData,
  type JobName,
  type JobOutcome,
  type QueueName,
} from './contracts.ts';
import { errorText } from './errors.ts';
import { keysOf } from './keys.ts';
import type { Log } from './log.ts';
import { commandTimeoutMs, redisOptions } from './redis.ts';

/** A worker that does not renew its lock for this long is taken for dead. */
const lockMs = 5_000;
const stalledCheckMs = 2_000;
/** For handlers to hand back what they have, and for Redis to be told. */
const closeLimitMs = 5_000;
const queueNames: readonly QueueName[] = ['work', 'evacuate'];
/** Kept for people who look; evacuations longer, so that a repeated request with the same id stays a no-op. */
const keep = {
  work: { age: 3_600, count: 300 },
  evacuate: { age: 30 * 86_400, count: 1_000 },
} as const;

/** Asks ns4 for work. Every call rejects within seconds when Redis is away. */
export class JobProducer {
  readonly #queues: Record<QueueName, Queue>;
  readonly #events: QueueEvents[];
  readonly #listeners = new Set<(jobId: string) => void>();

  constructor(settings: RedisSettings, cloud: string, log: Log) {
    const { prefix } = keysOf(cloud);
    const options = redisOptions(settings, cloud);
    // Bounded by a time limit instead of failing at once: BullMQ keeps the failure of its first commands, so that a
    // queue opened a moment before its connection stands would be lost for good. What is sent late does no harm, as
    // ids are deterministic and old orders are refused.
    const bounded = { ...options, maxRetriesPerRequest: null, commandTimeout: commandTimeoutMs };
    const waiting = { ...options, maxRetriesPerRequest: null };
    const open = (name: QueueName) => {
      const queue = new Queue(name, { connection: bounded, prefix });
      queue.on('error', (error) => log.debug({ error: errorText(error) }, 'job queue'));
      return queue;
    };
    this.#queues = { work: open('work'), evacuate: open('evacuate') };
    this.#events = queueNames.map((name) => {
      const events = new QueueEvents(name, { connection: waiting, prefix });
      const finished = ({ jobId }: { jobId: string }) => {
        for (const listener of this.#listeners) listener(jobId);
      };
      events.on('completed', finished);
      events.on('failed', finished);
      events.on('error', (error) => log.debug({ error: errorText(error) }, 'job events'));
      return events;
    });
  }

  /** Calls back with the id of each job that finished, whoever asked for it; a hint to look, not the only way to learn. */
  onFinished(listener: (jobId: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Asks for a job; asking again with the same id while the first is known changes nothing. Ids carry no ":". */
  async request<N extends JobName>(name: N, id: string, data: JobData<N>): Promise<void> {
    const { queue } = contracts[name];
    await this.#queues[queue].add(name, contracts[name].data.parse(data), {
      jobId: id,
      // A job that fails is the monitor's to decide on, never BullMQ's to repeat.
      attempts: 1,
      removeOnComplete: keep[queue],
      removeOnFail: keep[queue],
    });
  }

  /** What became of a job, checked against its contract. */
  async outcome<N extends JobName>(name: N, id: string): Promise<JobOutcome<N>> {
    const job: Job | undefined = await this.#queues[contracts[name].queue].getJob(id);
    if (job === undefined) return { state: 'missing' };
    const state = await job.getState();
    if (state === 'failed') return { state: 'failed', detail: job.failedReason ?? 'no reason given' };
    if (state === 'active') return { state: 'running' };
    if (state !== 'completed') return state === 'unknown' ? { state: 'missing' } : { state: 'waiting' };
    // Read again: the first read may be from before the job finished.
    const finished: Job | undefined = await this.#queues[contracts[name].queue].getJob(id);
    const result = contracts[name].result.safeParse(finished?.returnvalue);
    return result.success
      ? ({ state: 'done', result: result.data } as JobOutcome<N>)
      : {
          state: 'failed',
          detail: 'its result is not what the contract says (do ns4 and monitor have one version?)',
        };
  }

  /** Takes a job back that no worker has begun; true when it is gone. A running one is left alone. */
  async withdraw(name: JobName, id: string): Promise<boolean> {
    return (await this.#queues[contracts[name].queue].remove(id)) === 1;
  }

  /** How many ns4 workers listen now. */
  async workers(): Promise<number> {
    return this.#queues.work.getWorkersCount();
  }

  async close(): Promise<void> {
    await closeAll([...Object.values(this.#queues), ...this.#events]);
  }
}

export interface WorkerLimits {
  /** Jobs at once, per queue. */
  readonly concurrency: Readonly<Record<QueueName, number>>;
}

/** Runs the handlers for the jobs of one cloud until closed. */
export class JobWorker {
  readonly #workers: Worker[];
  readonly #stopper = new AbortController();

  constructor(settings: RedisSettings, cloud: string, handlers: Handlers, limits: WorkerLimits, log: Log) {
    const { prefix } = keysOf(cloud);
    const connection = { ...redisOptions(settings, cloud), maxRetriesPerRequest: null };
    this.#workers = queueNames.map((name) => {
      const worker = new Worker(
        name,
        (job: Job, _token?: string, signal?: AbortSignal) => this.#run(job, handlers, signal, log),
        {
          connection,
          prefix,
          concurrency: limits.concurrency[name],
          lockDuration: lockMs,
          stalledInterval: stalledCheckMs,
          // A job whose worker died fails at once; whether and how to go on is the monitor's decision.
          maxStalledCount: 0,
        },
      );
      // A worker that was frozen and thawed no longer holds its lock: somebody else may be at work by now.
      worker.on('lockRenewalFailed', (ids: string[]) => {
        for (const id of ids) worker.cancelJob(id, 'lock lost');
      });
      worker.on('error', (error) => log.debug({ error: errorText(error) }, 'worker'));
      return worker;
    });
  }

  async #run(job: Job, handlers: Handlers, lockSignal: AbortSignal | undefined, log: Log): Promise<unknown> {
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
      const result = await handler(contract.data.parse(job.data), AbortSignal.any(signals));
      log.debug({ job: name, id: job.id, tookMs: Date.now() - startedAtMs }, 'job done');
      return contract.result.parse(result);
    } catch (error) {
      log.error({ job: name, id: job.id, error: errorText(error) }, `job ${name} failed`);
      throw new UnrecoverableError(errorText(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Aborts what runs (handlers hand back what they can), waits for it, and closes. */
  async close(): Promise<void> {
    this.#stopper.abort(new Error('this ns4 is being stopped'));
    await closeAll(this.#workers);
  }
}

/** BullMQ waits without end for a Redis that is away: closing is given up after a while, and the process ends anyway. */
async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  const closed = Promise.allSettled(parts.map((part) => part.close()));
  await Promise.race([closed, delay(closeLimitMs, undefined, { ref: false })]);
}
