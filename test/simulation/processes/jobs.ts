// The pretend job queue in the pretend Redis, as BullMQ behaves: ids that are known are not asked for twice, a job
// whose worker died fails after some seconds, what a worker without the lock says no longer counts.
import {
  contracts,
  type JobData,
  type JobName,
  type JobOutcome,
} from '../../../src/shared/documents/jobs/contracts.ts';
import type { Random } from '../random.ts';
import type { Planned, Timeline } from '../timeline.ts';
import type { Weather } from '../weather.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { Process } from './process.ts';
import type { RedisLink } from './redis-link.ts';

interface Job {
  readonly name: JobName;
  readonly data: JobData<JobName>;
  readonly state: 'waiting' | 'active' | 'done' | 'failed';
  /** Which taking of it is under way. */
  readonly lock: number;
  readonly result?: unknown;
  readonly detail?: string;
}

export interface TakenJob {
  readonly name: JobName;
  readonly data: JobData<JobName>;
}

/** Whoever carries jobs out. */
export interface Taker {
  readonly process: Process;
  readonly link: RedisLink;
  /** Does it work on jobs of this name? */
  takes(name: JobName): boolean;
  carryOut(id: string, request: TakenJob, signal: AbortSignal): Promise<unknown>;
}

interface Hold {
  readonly id: string;
  readonly lock: number;
  readonly taker: Taker;
  readonly abort: AbortController;
  readonly limit: Planned;
}

/** A lock that was not renewed for this long is given up by the other workers. */
const lockMs = 5_000;
const stalledMs = 6_500;
const stalled = 'its ns4 died or stood still';

export class Jobs {
  /** Called when a job finished, unless the hint gets lost. */
  onFinished: (id: string) => void = () => {};
  /** Called when there is something that only asking would tell. */
  onChange: () => void = () => {};
  readonly takers: Taker[] = [];
  /** Called with each job that is asked for. */
  onRequest: (name: JobName) => void = () => {};
  /** Jobs of these names wait for long before somebody takes them. */
  readonly slow = new Set<JobName>();
  readonly #redis: PretendRedis;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #holds = new Set<Hold>();
  #locks = 0;

  constructor(redis: PretendRedis, random: Random, weather: Weather) {
    this.#redis = redis;
    this.#timeline = redis.timeline;
    this.#random = random;
    this.#weather = weather;
  }

  request(name: JobName, id: string, data: JobData<JobName>): void {
    if (this.#job(id) !== undefined) return;
    this.onRequest(name);
    if (this.#random.chance(this.#weather.jobsLost)) return this.onChange();
    this.#put(id, { name, data, state: 'waiting', lock: 0 });
    const slow = this.slow.has(name) || this.#random.chance(this.#weather.jobsSlow);
    this.#pickUp(id, slow ? this.#random.between(1_000, 200_000) : 10);
  }

  withdraw(id: string): boolean {
    if (this.#job(id)?.state !== 'waiting') return false;
    this.#redis.delete(`job:${id}`);
    return true;
  }

  /** Typed by its name: no other job has this id. */
  outcome<N extends JobName>(_name: N, id: string): JobOutcome<N> {
    const job = this.#job(id);
    if (job === undefined) return { state: 'missing' };
    if (job.state === 'waiting') return { state: 'waiting' };
    if (job.state === 'active') return { state: 'running' };
    if (job.state === 'failed')
      return { state: 'failed', detail: job.detail ?? '', workerLost: job.detail === stalled };
    return { state: 'done', result: job.result } as JobOutcome<N>;
  }

  /** Somebody can work (again): what waits is begun, what nobody holds any more fails. */
  lookAgain(): void {
    for (const key of this.#redis.keys('job:')) {
      const id = key.slice('job:'.length);
      const job = this.#job(id);
      if (job?.state === 'waiting') this.#pickUp(id, 10);
      else if (job?.state === 'active' && !this.#isHeld(id, job.lock)) this.#stall(id, job.lock);
    }
  }

  /** A worker ended: its jobs fail when their locks run out, if somebody is there to see it. */
  died(process: Process): void {
    for (const hold of this.#holds) {
      if (hold.taker.process !== process) continue;
      this.#drop(hold);
      this.#timeline.after(stalledMs, () => this.#stall(hold.id, hold.lock));
    }
  }

  /** A worker stands still: short of the lock's life nobody notices. */
  frozen(process: Process, forMs: number): void {
    if (forMs <= lockMs) return;
    for (const hold of this.#holds) {
      if (hold.taker.process !== process) continue;
      this.#timeline.after(stalledMs, () => this.#stall(hold.id, hold.lock));
      // Thawed, it learns that the lock is gone.
      process.later(500, () => hold.abort.abort(new Error('lock lost')));
    }
  }

  /** A worker is told to stop: what it does is handed back. */
  stop(process: Process): void {
    for (const hold of this.#holds)
      if (hold.taker.process === process) hold.abort.abort(new Error('this ns4 is being stopped'));
  }

  #isHeld(id: string, lock: number): boolean {
    for (const hold of this.#holds) if (hold.id === id && hold.lock === lock) return true;
    return false;
  }

  #pickUp(id: string, delayMs: number): void {
    this.#timeline.after(delayMs, () => {
      const job = this.#job(id);
      if (job?.state !== 'waiting' || this.#redis.away) return;
      const able = this.#ableTo(job.name);
      if (able.length > 0) this.#begin(id, this.#random.pick(able));
    });
  }

  #ableTo(name: JobName): Taker[] {
    return this.takers.filter((taker) => taker.process.running && !taker.link.isCut && taker.takes(name));
  }

  #begin(id: string, taker: Taker): void {
    const job = this.#job(id) as Job;
    this.#locks += 1;
    const abort = new AbortController();
    const { timeoutMs } = contracts[job.name];
    const limit = this.#timeline.after(timeoutMs, () =>
      taker.process.enter(() => abort.abort(new Error(`not finished after ${timeoutMs / 1000} s`))),
    );
    const hold: Hold = { id, lock: this.#locks, taker, abort, limit };
    this.#holds.add(hold);
    this.#put(id, { ...job, state: 'active', lock: hold.lock });
    if (this.#random.chance(this.#weather.jobsFail))
      return this.#end(hold, { state: 'failed', detail: 'boom' });
    if (this.#random.chance(this.#weather.jobsDoubled)) this.#double(hold);
    taker.carryOut(id, job, abort.signal).then(
      (result) => this.#end(hold, { state: 'done', result }),
      (error: unknown) => this.#failed(hold, error),
    );
  }

  /** The first one learns, later or never, that its lock is gone. */
  #double({ id, lock, taker, abort }: Hold): void {
    this.#timeline.after(this.#random.between(10, 6_000), () => {
      const job = this.#job(id);
      if (job?.state !== 'active' || job.lock !== lock || this.#redis.away) return;
      const able = this.#ableTo(job.name).filter((t) => t !== taker);
      if (able.length === 0) return;
      this.#begin(id, this.#random.pick(able));
      if (this.#random.chance(0.5)) taker.process.later(2_500, () => abort.abort(new Error('lock lost')));
    });
  }

  #failed(hold: Hold, error: unknown): void {
    const expected = error instanceof Error && error.constructor !== TypeError && error.name !== 'ZodError';
    if (!expected) this.#timeline.fail(error);
    this.#end(hold, { state: 'failed', detail: error instanceof Error ? error.message : String(error) });
  }

  #end(hold: Hold, end: Pick<Job, 'state' | 'result' | 'detail'>): void {
    this.#drop(hold);
    const job = this.#job(hold.id);
    const unheard = this.#redis.away || hold.taker.link.isCut;
    if (unheard) return void this.#timeline.after(stalledMs, () => this.#stall(hold.id, hold.lock));
    // Whoever lost the job's lock has no say in it any more.
    if (job?.state === 'active' && job.lock === hold.lock) this.#finish(hold.id, { ...job, ...end });
  }

  #stall(id: string, lock: number): void {
    const job = this.#job(id);
    if (job?.state !== 'active' || job.lock !== lock) return;
    // Seen by a living worker only; the next one that starts looks again.
    if (!this.takers.some((taker) => taker.process.running)) return;
    this.#finish(id, { ...job, state: 'failed', detail: stalled });
  }

  #finish(id: string, job: Job): void {
    this.#put(id, job);
    if (this.#random.chance(this.#weather.hintsLost)) this.onChange();
    else this.onFinished(id);
  }

  #drop(hold: Hold): void {
    hold.limit.cancelled = true;
    this.#holds.delete(hold);
  }

  #job(id: string): Job | undefined {
    return this.#redis.get<Job>(`job:${id}`);
  }

  #put(id: string, job: Job): void {
    this.#redis.set(`job:${id}`, job);
  }
}
