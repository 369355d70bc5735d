// All keys of a logical database as readable JSON, and back: what an older version left behind, for the tests that
// start a newer one on it. Knows the types of Redis and nothing of what Sonny keeps in them.
import type { Redis } from 'ioredis';

/** A text; one that is JSON stands as what it says, with the indentation that gives the same text again. */
type Text = string | { readonly json: unknown; readonly indent: number };

interface Fields {
  readonly [field: string]: Text;
}
type Value =
  | { readonly type: 'string'; readonly value: Text }
  | { readonly type: 'list' | 'set'; readonly value: readonly Text[] }
  | { readonly type: 'hash'; readonly value: Fields }
  | { readonly type: 'zset'; readonly value: readonly { readonly member: string; readonly score: string }[] }
  | { readonly type: 'stream'; readonly value: readonly { readonly id: string; readonly fields: Fields }[] };
/** `ttlMs`: what was left to it then; null: it stays. */
type Entry = Value & { readonly ttlMs: number | null };

export interface RedisFixture {
  /** By the clock of Redis; every time in the entries is to be read relative to it. */
  readonly recordedAtMs: number;
  readonly keys: Readonly<Record<string, Entry>>;
}

/** Reads all keys of the connection's database. */
export async function dumpRedis(redis: Redis): Promise<RedisFixture> {
  const [seconds, micros] = await redis.time();
  const recordedAtMs = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  const names = (await redis.keys('*')).sort();
  const entries = await Promise.all(
    names.map(async (name) => {
      // First the time left: a key that runs out between the two is better lost than kept for ever.
      const ttlMs = await redis.pttl(name);
      const value = await readValue(redis, name);
      return value === null || ttlMs === -2
        ? []
        : [[name, { ...value, ttlMs: ttlMs < 0 ? null : ttlMs }] as const];
    }),
  );
  return { recordedAtMs, keys: Object.fromEntries(entries.flat()) };
}

async function readValue(redis: Redis, name: string): Promise<Value | null> {
  const type = await redis.type(name);
  switch (type) {
    case 'none':
      return null;
    case 'string':
      return { type, value: asText((await redis.get(name)) ?? '') };
    case 'list':
      return { type, value: (await redis.lrange(name, 0, -1)).map(asText) };
    case 'set':
      return { type, value: (await redis.smembers(name)).sort().map(asText) };
    case 'hash':
      return { type, value: asFields(Object.entries(await redis.hgetall(name))) };
    case 'zset':
      return {
        type,
        value: pairs(await redis.zrange(name, '0', '-1', 'WITHSCORES')).map(([member, score]) => ({
          member,
          score,
        })),
      };
    case 'stream':
      return {
        type,
        value: (await redis.xrange(name, '-', '+')).map(([id, flat]) => ({
          id,
          fields: asFields(pairs(flat)),
        })),
      };
    default:
      throw new Error(`${name} is of type ${type}, which this dump does not know`);
  }
}

function asText(text: string): Text {
  for (const indent of [0, 1]) {
    try {
      const json: unknown = JSON.parse(text);
      // Only what gains by it, and only if the very same text comes back: scripts compare texts.
      if (typeof json === 'object' && json !== null && JSON.stringify(json, null, indent) === text)
        return { json, indent };
    } catch {
      break;
    }
  }
  return text;
}

const ofText = (text: Text): string =>
  typeof text === 'string' ? text : JSON.stringify(text.json, null, text.indent);

const asFields = (entries: readonly (readonly [string, string])[]): Fields =>
  Object.fromEntries(entries.map(([field, value]) => [field, asText(value)]));

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);
}

export interface RestoreOptions {
  /** Added to every time in texts, scores and stream ids. For "as of now": Date.now() - fixture.recordedAtMs. */
  readonly shiftMs: number;
  /** Texts to be replaced wherever they stand, such as ids and addresses that are others this time. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** What ran for a day before the dump or is planned for a year after it is taken for a time, nothing else. */
const timesAround = { beforeMs: 86_400_000, afterMs: 366 * 86_400_000 };

/** Writes all keys of a fixture into the connection's database, which has to be empty. */
export async function restoreRedis(
  redis: Redis,
  fixture: RedisFixture,
  options: RestoreOptions,
): Promise<void> {
  if ((await redis.dbsize()) > 0) throw new Error('a fixture is restored into an empty database only');
  let text = JSON.stringify(fixture.keys);
  for (const [from, to] of Object.entries(options.rename ?? {})) text = text.replaceAll(from, to);
  const { recordedAtMs } = fixture;
  const shift = (one: string): string =>
    one.replaceAll(/(?<!\w)\d{13}(?!\w)/g, (digits) => {
      const isTime =
        Number(digits) > recordedAtMs - timesAround.beforeMs &&
        Number(digits) < recordedAtMs + timesAround.afterMs;
      return isTime ? String(Number(digits) + options.shiftMs) : digits;
    });
  const shifted = (one: Text): string => shift(ofText(one));
  const flat = (fields: Fields): string[] =>
    Object.entries(fields).flatMap(([field, value]) => [field, shifted(value)]);

  // In one step, as a reader never sees half of what was left.
  const transaction = redis.multi();
  for (const [name, entry] of Object.entries(JSON.parse(text) as RedisFixture['keys'])) {
    switch (entry.type) {
      case 'string':
        transaction.set(name, shifted(entry.value));
        break;
      case 'list':
        transaction.rpush(name, ...entry.value.map(shifted));
        break;
      case 'set':
        transaction.sadd(name, ...entry.value.map(shifted));
        break;
      case 'hash':
        transaction.hset(name, ...flat(entry.value));
        break;
      case 'zset':
        transaction.zadd(name, ...entry.value.flatMap(({ member, score }) => [shift(score), shift(member)]));
        break;
      case 'stream':
        for (const { id, fields } of entry.value) transaction.xadd(name, shift(id), ...flat(fields));
        break;
    }
    if (entry.ttlMs !== null) transaction.pexpire(name, Math.max(1, entry.ttlMs));
  }
  const replies = await transaction.exec();
  const failed = replies?.find(([error]) => error !== null)?.[0];
  if (failed) throw failed;
}
