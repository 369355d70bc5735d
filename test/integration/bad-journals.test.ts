// What makes no sense among locks, claims and journals, on a real Redis: nothing throws, each is told, and a recovery either
// goes on as if it were not there, or is refused by name.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DistrustedJournalError, Journals } from '../../src/ns4/recovery/journal/journals.ts';
import { RedisJournalStorage } from '../../src/ns4/recovery/journal/redis-journal-storage.ts';
import type { Distrust } from '../../src/shared/documents/terms/distrust.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { dbOver } from '../../src/shared/redis/db.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { Trust } from '../../src/shared/trust/trust.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';

const cloud = 'odd';
const keys = keysOf(cloud);
const go = new AbortController().signal;
let server: TestRedis;
let redis: Redis;
let told: Distrust[];
beforeAll(async () => {
  server = await startRedis();
  redis = redisClient(settingsOf(server), cloud);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  told = [];
});

const parts = () => {
  const trust = new Trust({ cloud, signing: null, clock: systemClock, tell: (what) => told.push(what) });
  const storage = new RedisJournalStorage(dbOver(redis, 'Redis'), keys, trust);
  return { storage, journals: new Journals(storage, systemClock, trust) };
};
const hosts = { host: 'hv01', targets: ['hv04'] };
const asHash = (key: string) => redis.hset(key, 'a', 'b');
const texts = ['', 'x', '{', '5', 'null', '"hv01"', '[]', '{"dead":7}'];

describe('a claim that is none', () => {
  test.each([...texts, null])('%j: the target is had all the same, and it is told', async (text) => {
    if (text === null) await asHash(keys.targetClaim('hv04'));
    else await redis.set(keys.targetClaim('hv04'), text);
    const lock = await parts().journals.lock(hosts, 1_000, go, null);
    expect(lock).not.toHaveProperty('heldByOther');
    if ('heldByOther' in lock) return;
    expect(told).toEqual([{ what: 'claim', about: 'hv04', why: 'not-understood' }]);
    await lock.release();
  });

  test('assignments that are none tell nothing of whether a claim stands', async () => {
    await redis.set(keys.targetClaim('hv04'), '{"dead":"hv02","recovery":"x2","byHand":false}');
    for (const text of texts) {
      await redis.set(keys.assignments, text);
      expect(await parts().storage.takeLocks({ ...hosts, token: 't' }, 5_000)).toMatchObject({
        host: 'hv04',
      });
    }
    await redis.del(keys.assignments);
    await asHash(keys.assignments);
    expect(await parts().storage.takeLocks({ ...hosts, token: 't' }, 5_000)).toMatchObject({ host: 'hv04' });
  });
});

test('assignments that are none grant nothing', async () => {
  const { storage } = parts();
  const token = { ...hosts, token: 't', assignment: { recovery: 'x1', jobId: 'recover-x1-1', epoch: 1 } };
  expect(await storage.takeLocks(token, 60_000)).toBeNull();
  for (const text of [...texts, '{"epoch":"x","jobs":{}}', '{"epoch":2,"jobs":5}']) {
    await redis.set(keys.assignments, text);
    expect(await storage.save(token, { id: 'x1', text: '{}' }), text).toBe('unknown');
  }
  await redis.del(keys.assignments);
  await asHash(keys.assignments);
  expect(await storage.renewLocks(token, 60_000)).toBe('unknown');
});

test('a lock of another type is not ours, and runs out', async () => {
  const { storage } = parts();
  const token = { ...hosts, token: 't', assignment: null };
  await asHash(keys.lock('hv01'));
  expect(await storage.takeLocks(token, 5_000)).toEqual({ host: 'hv01', claim: null });
  expect(await redis.pttl(keys.lock('hv01'))).toBeGreaterThan(0);
  expect(await storage.save(token, { id: 'x1', text: '{}' })).toBe('not-locked');
  expect(await storage.putBack(token, { id: 'x1', text: '{}' })).toBe(false);
  await storage.releaseLocks(['hv01', 'hv04'], 't');
});

describe('a journal that is none', () => {
  test.each([...texts, null])('%j: refused by name', async (text) => {
    await redis.set(keys.openJournal('hv01'), 'x1');
    if (text === null) await asHash(keys.journal('x1'));
    else await redis.set(keys.journal('x1'), text);
    const error = await parts()
      .journals.open('hv01')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DistrustedJournalError);
    expect(told).toEqual([{ what: 'journal', about: 'x1', why: 'not-understood' }]);
  });

  test('what names the open one is of another type: as one that Redis lost, and written anew', async () => {
    await asHash(keys.openJournal('hv01'));
    const { storage, journals } = parts();
    expect(await journals.open('hv01')).toBeNull();
    const token = { ...hosts, token: 't', assignment: null };
    expect(await storage.takeLocks(token, 5_000)).toBeNull();
    expect(await storage.save(token, { id: 'x1', text: '{}' })).toBe('granted');
    expect(await redis.get(keys.openJournal('hv01'))).toBe('x1');
  });
});
