// The side that asks ns4 for work: jobs by deterministic ids, a scan of every vantage point there is, and what became
// of them.
import type { RedisSettings } from '../config/settings.ts';
import {
  contracts,
  type JobData,
  type JobName,
  type JobOutcome,
  type QueueName,
} from '../documents/jobs/contracts.ts';
import { systemClock } from '../ground/clock.ts';
import type { Log } from '../ground/log.ts';
import { connectRedis } from '../redis/connect.ts';
import type { Db } from '../redis/db.ts';
import { keysOf } from '../redis/keys.ts';
import type { Trust } from '../trust/trust.ts';
import { type QuorumRules, QuorumScan, type VantagePointQueues } from '../vantage-points/ask-all.ts';
import { mostVantagePointsAsked, VantagePointRegistry } from '../vantage-points/registry.ts';
import { Channel, closeAll, scanQueue, sharedQueues } from './queue.ts';

/** The scan queues of the vantage points, opened as they are met; of many that came and went the oldest is closed. */
export class ScanQueues implements VantagePointQueues {
  readonly #open: (vantagePoint: string) => Channel;
  readonly #channels = new Map<string, Channel>();

  constructor(
    settings: RedisSettings,
    cloud: string,
    trust: Trust,
    log: Log,
    onFinished: ((id: string) => void) | null = null,
  ) {
    this.#open = (vantagePoint) =>
      new Channel(scanQueue(vantagePoint), settings, cloud, trust, log, onFinished);
  }

  /**
   * Opens the queues of these vantage points, so that word of a scan's end is not missed while a connection is made.
   */
  meet(vantagePoints: readonly string[]): void {
    for (const vantagePoint of vantagePoints) this.#channel(vantagePoint);
  }

  async add(vantagePoint: string, id: string, data: JobData<'scan'>): Promise<void> {
    await this.#channel(vantagePoint).add('scan', id, data);
  }

  outcome(vantagePoint: string, id: string): Promise<JobOutcome<'scan'>> {
    return this.#channel(vantagePoint).outcome('scan', id);
  }

  async remove(vantagePoint: string, id: string): Promise<void> {
    await this.#channel(vantagePoint).remove(id);
  }

  async close(): Promise<void> {
    await closeAll([...this.#channels.values()]);
  }

  #channel(vantagePoint: string): Channel {
    const channel = this.#channels.get(vantagePoint) ?? this.#open(vantagePoint);
    // Again at the end: the first one is the one not used for longest.
    this.#channels.delete(vantagePoint);
    this.#channels.set(vantagePoint, channel);
    for (const [oldest, unused] of this.#channels) {
      if (this.#channels.size <= 2 * mostVantagePointsAsked) break;
      this.#channels.delete(oldest);
      void closeAll([unused]);
    }
    return channel;
  }
}

/** Asks ns4 for work. Every call rejects within seconds when Redis is away. */
export class JobProducer {
  readonly #channels: ReadonlyMap<QueueName, Channel>;
  readonly #redis: Db;
  readonly #registry: VantagePointRegistry;
  readonly #scanQueues: ScanQueues;
  readonly #quorumScan: QuorumScan;
  readonly #listeners = new Set<(jobId: string) => void>();

  constructor(settings: RedisSettings, cloud: string, trust: Trust, log: Log, rules: QuorumRules) {
    const finished = (jobId: string) => {
      for (const listener of this.#listeners) listener(jobId);
    };
    const open = (name: string) => new Channel(name, settings, cloud, trust, log, finished);
    this.#channels = new Map(sharedQueues.map((queue) => [queue, open(queue)]));
    this.#scanQueues = new ScanQueues(settings, cloud, trust, log, finished);
    const keys = keysOf(cloud);
    this.#redis = connectRedis(settings, cloud, log);
    this.#registry = new VantagePointRegistry(this.#redis, keys);
    this.#quorumScan = new QuorumScan({
      ...{ redis: this.#redis, keys, trust, rules, clock: systemClock },
      ...{ registry: this.#registry, queues: this.#scanQueues },
    });
  }

  /**
   * Calls back with the id of each job that finished, whoever asked for it; a hint to look, not the only way to learn.
   */
  onFinished(listener: (jobId: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Asks for a job; asking again with the same id while the first is known changes nothing. Ids carry no ":". */
  async request<N extends JobName>(name: N, id: string, data: JobData<N>): Promise<void> {
    if (contracts[name].ofEachVantagePoint) return this.#quorumScan.request(id, data as JobData<'scan'>);
    await this.#channel(name).add(name, id, data);
    // A scan may follow: by then the connections stand.
    if (name === 'refresh-inventory') this.#scanQueues.meet((await this.#registry.list()).names);
  }

  /** What became of a job, checked against its contract; of a scan, what all vantage points saw together. */
  async outcome<N extends JobName>(name: N, id: string): Promise<JobOutcome<N>> {
    // The cast says what the table of contracts says: it is the only job of each vantage point.
    if (contracts[name].ofEachVantagePoint) return (await this.#quorumScan.outcome(id)) as JobOutcome<N>;
    return this.#channel(name).outcome(name, id);
  }

  /** Takes a job back that no worker has begun. A running one is left alone. */
  async withdraw(name: JobName, id: string): Promise<void> {
    if (contracts[name].ofEachVantagePoint) await this.#quorumScan.withdraw(id);
    else await this.#channel(name).remove(id);
  }

  /** How many ns4 workers listen now. */
  async workers(): Promise<number> {
    return this.#channel('refresh-inventory').workers();
  }

  #channel(name: JobName): Channel {
    const channel = this.#channels.get(contracts[name].queue);
    if (channel === undefined) throw new Error(`${name} has no queue that all ns4 share`);
    return channel;
  }

  async close(): Promise<void> {
    await closeAll([...this.#channels.values(), this.#scanQueues]);
    this.#redis.disconnect();
  }
}
