// Garbage in Redis: every key of a cloud that is there, and those that are there at times only, each replaced or filled with
// nonsense of its type, or made another type. Knows Redis' types, and texts that are nearly right for absent keys.
import type { Redis } from 'ioredis';
import type { Keys } from '../../src/shared/redis/keys.ts';
import type { Random } from '../simulation/random.ts';
import { garbled, Tried } from './nonsense.ts';

const inAYear = () => Date.now() + 365 * 86_400_000;
const lastId = '18446744073709551615-18446744073709551615';
const types = ['string', 'hash', 'list', 'set', 'zset', 'stream'] as const;

/** Of a queue: what is not one of its own lists. */
const jobKey =
  /:(work|recover|fence|scan-[\w-]+):(?!(?:wait|active|paused|meta|id|pc|events|completed|failed|delayed|prioritized|marker|stalled|stalled-check)$)[^:]+/;

/** A key as one of its kind: the ids, generations and numbers in it do not count. */
const kindOfKey = (key: string): string =>
  key
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{20,}/g, 'ID')
    .replaceAll(/\d+/g, 'N')
    .replace(jobKey, ':$1:JOB');

/** What stands at times where now nothing is, with a text that is nearly right. `host` lives. */
function absent(keys: Keys, host: string): Record<string, string | null> {
  const nowMs = Date.now();
  const by = { by: 'nobody', atMs: nowMs };
  return {
    [keys.fenceConfirmation(host)]: JSON.stringify({ who: 'nobody', atMs: nowMs }),
    [keys.fenceShots(host)]: JSON.stringify({
      incident: 'x9',
      shots: [{ level: 1, device: 0, agent: 'a', atMs: nowMs, effect: 'taken', seenOff: true }],
    }),
    [keys.fenceBystanders(host)]: JSON.stringify({
      ...{ incident: 'x9', atMs: nowMs, heard: ['hv03'], isLooked: false, fell: null },
    }),
    [keys.fenceOrder('x9')]: 'open',
    [keys.openJournal(host)]: 'x9.1',
    [keys.lock(host)]: 'nobody',
    [keys.lock('hv04')]: 'nobody',
    [keys.targetClaim('hv04')]: JSON.stringify({ recovery: 'x9.1', dead: host, byHand: false }),
    [keys.journal('x9.1')]: JSON.stringify({
      ...{ version: 2, id: 'x9.1', incident: 'x9', sonny: '', dead: host, mover: 'api', evidence: [] },
      ...{ openedAtMs: nowMs, judgedAtMs: nowMs, acted: true, progress: [], instances: {}, ended: null },
      plan: { moves: [] },
      proof: { by: 'operator', who: 'nobody', atMs: nowMs, failed: [] },
    }),
    [keys.oldServers]: '{"version":1}',
    [keys.terminalCursor]: '0-0',
    [keys.relayCursor]: '0-0',
    [keys.quorumScan('nobody')]: '{}',
    [keys.orders]: JSON.stringify({
      ...{ kind: 'recover', id: 'o9', host, target: 'hv04', despite: ['dry-mode'], ...by },
    }),
    [keys.cutOff]: JSON.stringify({ [host]: { addresses: ['192.0.2.1'], atMs: nowMs, seenOff: null } }),
    [keys.opened]: JSON.stringify({ id: { atMs: nowMs, address: '192.0.2.1', image: 'x' } }),
    [keys.storageAddresses]: JSON.stringify({ '192.0.2.1 hv01': `${nowMs}` }),
    [`${keys.prefix}:scan-nobody:meta`]: null,
    [`${keys.prefix}:recover:wait`]: null,
  };
}

/** Leaves garbage, the kinds of keys that were tried least first. */
export class RedisGarbage {
  readonly tried = new Tried();
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #random: Random;
  readonly #times = new Map<string, number>();

  constructor(redis: Redis, keys: Keys, random: Random) {
    this.#redis = redis;
    this.#keys = keys;
    this.#random = random;
  }

  /** Kinds of keys that got garbage so far. */
  get kinds(): string[] {
    return [...this.#times.keys()].sort();
  }

  /** One piece of garbage; what it was, in words. `only`: into these keys alone. */
  async leave(only: RegExp = /./): Promise<string> {
    const present = await this.#redis.keys(`${this.#keys.prefix}:*`);
    const samples = absent(this.#keys, 'hv02');
    const all = [...new Set([...present, ...Object.keys(samples)])].filter((key) => only.test(key));
    const timesOf = (key: string) => this.#times.get(kindOfKey(key)) ?? 0;
    const least = Math.min(...all.map(timesOf));
    const key = this.#random.pick(all.filter((one) => timesOf(one) === least).sort());
    this.#times.set(kindOfKey(key), least + 1);
    if (this.#random.chance(0.03)) return this.#publish();
    const done = await this.#spoil(key, samples[key] ?? null).catch(
      (error: Error) => `failed: ${error.message}`,
    );
    return `${key}: ${done}`;
  }

  async #publish(): Promise<string> {
    const { text, how } = garbled(this.#random, this.tried, 'channel', '{"facts":{"kind":"dead"}}');
    await this.#redis.publish(this.#keys.channel, text);
    return `published: ${how}`;
  }

  async #spoil(key: string, sample: string | null): Promise<string> {
    const random = this.#random;
    const type = await this.#redis.type(key);
    const what = random.next();
    if (what < 0.12) return this.#asType(key, random.pick(types.filter((other) => other !== type)));
    if (what < 0.18) {
      await this.#redis.del(key);
      return 'gone';
    }
    if (what < 0.22) {
      await this.#redis.pexpire(key, random.pick([1, 500]));
      return 'runs out';
    }
    if (what < 0.25) {
      await this.#redis.persist(key);
      return 'never runs out';
    }
    if (type === 'none' && key === this.#keys.orders) return this.#fill(key, 'list', sample);
    if (type === 'none' && [this.#keys.cutOff, this.#keys.opened, this.#keys.storageAddresses].includes(key))
      return this.#fill(key, 'hash', sample);
    return this.#fill(key, type === 'none' ? 'string' : type, sample);
  }

  async #asType(key: string, type: string): Promise<string> {
    await this.#redis.del(key);
    await this.#fill(key, type, null);
    return `a ${type} now`;
  }

  /** Garbage of this type. */
  async #fill(key: string, type: string, sample: string | null): Promise<string> {
    const random = this.#random;
    const redis = this.#redis;
    const spoilt = (text: string | null) => garbled(random, this.tried, kindOfKey(key), text);
    switch (type) {
      case 'hash': {
        const fields = await redis.hgetall(key);
        const field = random.chance(0.8)
          ? (Object.keys(fields).sort().at(random.between(0, 9)) ?? 'x')
          : 'odd:{}';
        const { text, how } = spoilt(fields[field] ?? sample);
        await redis.hset(key, field, text);
        return `${field.slice(0, 60)}: ${how}`;
      }
      case 'list': {
        const [first] = await redis.lrange(key, 0, 0);
        const { text, how } = spoilt(first ?? sample);
        await (random.chance(0.5) ? redis.rpush(key, text) : redis.lpush(key, text));
        return `pushed ${how}`;
      }
      case 'zset': {
        const [first] = await redis.zrange(key, '0', '0');
        const { text, how } = spoilt(first ?? sample);
        const score = random.pick([inAYear(), -1, '+inf', 0, Date.now() + 3_000]);
        const many = random.chance(0.2) ? 20 : 1;
        for (let i = 0; i < many; i += 1)
          await redis.zadd(key, String(score), many === 1 ? String(text) : `aa${i} x`);
        return `${many} × ${score} ${how}`;
      }
      case 'set': {
        const { text, how } = spoilt(null);
        await redis.sadd(key, text);
        return `added ${how}`;
      }
      case 'stream': {
        if (random.chance(0.1)) {
          await redis.xadd(key, lastId, 'event', '{}');
          return 'its last id';
        }
        const [last] = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
        const { text, how } = spoilt(last?.[1][1] ?? null);
        await redis.xadd(key, '*', random.pick(['event', 'event', 'odd', '']), text);
        return `an entry, ${how}`;
      }
      default: {
        const { text, how } = spoilt((await redis.get(key)) ?? sample);
        await redis.set(
          key,
          text,
          ...(random.chance(0.5) ? (['KEEPTTL'] as const) : ([] as unknown as ['KEEPTTL'])),
        );
        return how;
      }
    }
  }
}
