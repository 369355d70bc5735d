// One bad entry in Redis, left while all is well, with the compiled processes: a host that dies then is recovered all the
// same. Each of these once ended all recovery in silence, also after a restart.
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
beforeEach(async () => {
  small = await SmallCloud.open();
});
afterEach(async () => {
  await small.close();
});

type Keys = SmallCloud['keys'];
const inAYear = () => Date.now() + 365 * 86_400_000;
const lastId = '18446744073709551615-18446744073709551615';

/** `replace`: as another type than it should have. */
const asHash = async (redis: Redis, key: string) => {
  await redis.multi().del(key).hset(key, 'a', 'b').exec();
};

const entries: Record<string, (redis: Redis, keys: Keys) => Promise<unknown>> = {
  'a vantage point whose name is none': (redis, keys) => redis.zadd(keys.vantagePoints, inAYear(), 'a:b x'),
  'sixteen vantage points that nobody renews': (redis, keys) =>
    redis.zadd(keys.vantagePoints, ...Array.from({ length: 16 }, (_, i) => [inAYear(), `aa${i} x`]).flat()),
  'vantage points of another type': (redis, keys) => asHash(redis, keys.vantagePoints),
  'a stream at its last possible id': (redis, keys) => redis.xadd(keys.events, lastId, 'event', '{}'),
  'events of another type': (redis, keys) => asHash(redis, keys.events),
  'orders of another type': (redis, keys) => asHash(redis, keys.orders),
  'orders that are none': (redis, keys) => redis.rpush(keys.orders, '{', 'null', '{"kind":"no-such"}'),
  'assignments of another type': (redis, keys) => asHash(redis, keys.assignments),
  'assignments that are none': (redis, keys) => redis.set(keys.assignments, '{'),
  'a status of another type': (redis, keys) => asHash(redis, keys.status),
  'a lease that nobody holds': (redis, keys) => redis.set(keys.monitorLease, 'nobody'),
  'a lease of another type': (redis, keys) => asHash(redis, keys.monitorLease),
  'an epoch of another type': (redis, keys) => asHash(redis, keys.monitorEpoch),
  'standbys of another type': (redis, keys) => asHash(redis, keys.monitorStandby),
  'an inventory of the future': (redis, keys) =>
    redis.set(
      keys.instances,
      `{"version":1,"cloud":"x","generation":"g","collectedAtMs":${inAYear()},"count":0,"byHost":{}}`,
    ),
  'instances that are none': (redis, keys) => redis.set(keys.instances, '{'),
  'hosts of another type': (redis, keys) => asHash(redis, keys.hosts),
  'a lock that never runs out': (redis, keys) => redis.set(keys.lock('hv01'), 'nobody'),
};

test.each(Object.entries(entries))(
  '%s',
  async (_, leave) => {
    small.household.start('ns4');
    small.household.start('monitor');
    await small.watched();
    await leave(small.household.redis, small.keys);
    await small.simulator.kill('hv01');
    const ended = await small.ended(75_000);
    expect(ended.text).toContain('all 3 affected instances are back');
    small.expectRecoveredOnce();
  },
  120_000,
);
