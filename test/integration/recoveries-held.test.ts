// By hand a host is held by the very lock that recoveries take: whoever comes second waits, or is refused.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recoveriesOf } from '../../src/ns4/commands/recoveries.ts';
import { Journals } from '../../src/ns4/recovery/journal/journals.ts';
import { RedisJournalStorage } from '../../src/ns4/recovery/journal/redis-journal-storage.ts';
import type { Status } from '../../src/shared/documents/status.ts';
import { systemClock as clock } from '../../src/shared/ground/clock.ts';
import { dbOver } from '../../src/shared/redis/db.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { monitorStatus } from '../support/monitor-statuses.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { noKey } from '../support/trust.ts';

const cloud = 'held';
const keys = keysOf(cloud);
const { signal } = new AbortController();
let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = redisClient(settingsOf(server), cloud);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

const wanted: Status = {
  ...monitorStatus(),
  incidents: [
    {
      ...{ id: 'hv01-1', subject: { kind: 'host', name: 'hv01' }, stage: 'recovering', openedAtMs: 1 },
      ...{ raised: null, recoveries: 1 },
      recovery: { id: 'hv01-1.1', targets: [], sinceMs: 1, attempt: 2 },
    },
  ],
};

const byHand = () => recoveriesOf({ redis: dbOver(redis, 'Redis'), keys, trust: noKey(), clock, signal });
/** As the first stage of a recovery has it. */
const begins = (host: string, targets: readonly string[] = []) =>
  new Journals(new RedisJournalStorage(dbOver(redis, 'Redis'), keys, noKey()), clock, noKey()).lock(
    { host, targets },
    0,
    signal,
    null,
  );

test('while a host is held no recovery of it or onto it begins, and one may afterwards', async () => {
  const held = await byHand().hold('hv01');
  expect(await begins('hv01')).toEqual({ heldByOther: 'hv01' });
  expect(await begins('hv02', ['hv01'])).toEqual({ heldByOther: 'hv01' });
  await held?.release();
  const lock = await begins('hv01');
  expect(lock).not.toHaveProperty('heldByOther');
  expect([await byHand().isRecovering('hv01'), await byHand().hold('hv01')]).toEqual([true, null]);
  if ('release' in lock) await lock.release();
  expect(await byHand().isRecovering('hv01')).toBe(false);
});

test('the monitor wants a recovery of it, and nobody works at it: not held, and the lock is given back', async () => {
  await redis.set(keys.status, JSON.stringify(wanted));
  expect([await byHand().isRecovering('hv01'), await byHand().hold('hv01')]).toEqual([true, null]);
  expect(await redis.get(keys.lock('hv01'))).toBeNull();
  expect(await byHand().isRecovering('hv02')).toBe(false);
});
