// What BullMQ keeps in Redis, put right: one entry there that makes no sense (a key of another type, a counter that is no
// number, a stream at its last id) fails each of its scripts for as long as it stands, and so would end all work. Nothing
// is missed of what is removed: whoever waits for a job asks for it again.
import type { RedisSettings } from '../config/settings.ts';
import { errorText } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import { connectRedis } from '../redis/connect.ts';
import { isRefusalOfRedis } from '../redis/db.ts';
import { keysOf } from '../redis/keys.ts';
import { loadScript, runScript } from '../redis/script.ts';

const mendScript = loadScript('mend-queue-n');

/** The queue's own keys, as BullMQ 6 has them; what is removed it writes anew. */
const types = {
  wait: 'list',
  active: 'list',
  paused: 'list',
  id: 'string',
  pc: 'string',
  'stalled-check': 'string',
  limiter: 'string',
  meta: 'hash',
  stalled: 'set',
  completed: 'zset',
  failed: 'zset',
  delayed: 'zset',
  prioritized: 'zset',
  'waiting-children': 'zset',
  repeat: 'zset',
  marker: 'zset',
  events: 'stream',
} as const;
/** Ids of streams are times by the clock of Redis. */
const mostAheadMs = 3_600_000;
/** A failure that mending does not end comes again and again. */
const pauseMs = 2_000;
const mostShown = 5;

/** Puts one queue right when it turns out that something is wrong with it. */
export class QueueMender {
  readonly #queue: string;
  readonly #settings: RedisSettings;
  readonly #cloud: string;
  readonly #log: Log;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(queue: string, settings: RedisSettings, cloud: string, log: Log) {
    this.#queue = queue;
    this.#settings = settings;
    this.#cloud = cloud;
    this.#log = log;
  }

  /** Is this what a senseless entry makes BullMQ throw? */
  static isCause(error: unknown): boolean {
    return isRefusalOfRedis(error) || error instanceof SyntaxError || error instanceof TypeError;
  }

  /** Looks for what makes no sense, also in this job; true when something was removed. Never throws. */
  async mend(job: string | null = null): Promise<boolean> {
    const nowMs = performance.now();
    if (nowMs - this.#lastAtMs < pauseMs) return false;
    this.#lastAtMs = nowMs;
    const redis = connectRedis(this.#settings, this.#cloud, this.#log);
    try {
      const prefix = `${keysOf(this.#cloud).prefix}:${this.#queue}`;
      const own = Object.keys(types).map((name) => `${prefix}:${name}`);
      const keys = job === null ? own : [...own, `${prefix}:${job}`];
      const removed = (await runScript(redis, mendScript, keys, [
        mostAheadMs,
        ...Object.values(types),
      ])) as string[];
      const told = removed.flatMap((key, i) =>
        i % 2 === 0 ? [`${key.slice(0, 200)}: ${removed[i + 1]}`] : [],
      );
      if (told.length > 0)
        this.#log.error(
          { removed: told.slice(0, mostShown) },
          `queue ${this.#queue}: removed from Redis what made no sense there`,
        );
      return told.length > 0;
    } catch (error) {
      this.#log.debug({ error: errorText(error) }, `queue ${this.#queue}: cannot be put right`);
      return false;
    } finally {
      redis.disconnect();
    }
  }
}
