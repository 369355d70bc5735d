// The lease, the saves that demand it and the assignments, on a real Redis.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assignmentsOf, firstState } from '../../src/monitor/core/state/state.ts';
import { statusOf } from '../../src/monitor/core/status.ts';
import { Lease, leaseMs, readStandbys } from '../../src/monitor/lease.ts';
import { LostLeaseError, Memory, readState } from '../../src/monitor/memory.ts';
import { Journals } from '../../src/ns4/recovery/journal/journals.ts';
import { RedisJournalStorage } from '../../src/ns4/recovery/journal/redis-journal-storage.ts';
import {
  type Assignments,
  type AssignmentToken,
  judgeAssignment,
} from '../../src/shared/documents/assignments.ts';
import { announce } from '../../src/shared/documents/events/events.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { readLeader } from '../../src/shared/redis/leader.ts';
import { readStatus } from '../../src/shared/redis/status.ts';
import { readEvents } from '../support/events.ts';
import { rules } from '../support/monitor-story.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { noKey } from '../support/trust.ts';

const cloud = 'leased';
const keys = keysOf(cloud);
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

const monitor = (who: string) => {
  const lease = new Lease(redis, keys, who);
  return { lease, memory: new Memory(redis, keys, lease.text, noKey()) };
};
const publisher = { cloud, who: 'a/1', nowMs: 1, rules };
const stopped = announce(cloud, 1, { kind: 'monitor-stopped' });

test('one has it, the others do not; renewed while held, free when given back or run out', async () => {
  const [a, b] = [monitor('a/1'), monitor('b/2')];
  expect(await a.lease.take(0)).toBeGreaterThan(0);
  expect(await b.lease.take(0)).toBeNull();
  expect([await readLeader(redis, keys), await readStandbys(redis, keys)]).toEqual(['a/1', ['b/2']]);
  await redis.pexpire(keys.monitorLease, 500);
  expect([await a.lease.renew(), await b.lease.renew()]).toEqual([true, false]);
  expect(await redis.pttl(keys.monitorLease)).toBeGreaterThan(leaseMs - 500);
  await b.lease.release();
  expect(await readLeader(redis, keys)).toBe('a/1');
  await a.lease.release();
  expect(await b.lease.take(0)).toBeGreaterThan(0);
  expect(await readStandbys(redis, keys)).toEqual([]);
  await redis.pexpire(keys.monitorLease, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await a.lease.take(0)).toBeGreaterThan(0);
  expect(await b.lease.renew()).toBe(false);
});

test('an answer that was lost on its way: who has the lease may take it again', async () => {
  const a = monitor('a/1');
  const first = (await a.lease.take(0)) ?? 0;
  expect(await a.lease.take(first)).toBeGreaterThan(first);
});

test('epochs only grow: over releases, over the loss of the stored one, and over a clock that was set back', async () => {
  const a = monitor('a/1');
  const epochs: number[] = [];
  const again = async () => {
    epochs.push((await a.lease.take(epochs.at(-1) ?? 0)) ?? 0);
    await a.lease.release();
  };
  await again();
  await again();
  await redis.del(keys.monitorEpoch);
  await again();
  await redis.set(keys.monitorEpoch, String(Date.now() + 10_000_000));
  await again();
  await redis.del(keys.monitorEpoch);
  await again();
  expect(epochs).toEqual([...new Set(epochs)].sort((x, y) => x - y));
  expect(epochs[0]).toBeGreaterThan(Date.now() - 60_000);
});

test('only who leads saves: state, assignments and events together, or nothing', async () => {
  const [a, b] = [monitor('a/1'), monitor('b/2')];
  const state = { ...firstState('life'), epoch: 5, revision: 3 };
  await a.lease.take(0);
  await a.memory.save(state, [stopped], statusOf(state, publisher));
  expect(await readStatus(redis, keys)).toMatchObject({ kind: 'found', status: { leader: { epoch: 5 } } });
  expect(await a.memory.holds(state)).toBe(true);
  expect(JSON.parse((await redis.get(keys.assignments)) ?? '')).toEqual({ epoch: 5, revision: 3, jobs: {} });
  await redis.set(keys.monitorLease, b.lease.text);
  const late = { ...state, revision: 4, backoffs: 7 };
  await expect(a.memory.save(late, [stopped], statusOf(late, publisher))).rejects.toThrow(LostLeaseError);
  expect(await readState(redis, keys)).toEqual(state);
  expect(await readEvents(redis, keys)).toHaveLength(1);
  await b.memory.save(late, [], statusOf(late, publisher));
  expect(await a.memory.holds(state)).toBe(false);
});

test('orders stay until they are forgotten by who leads, whatever came meanwhile', async () => {
  const [a, b] = [monitor('a/1'), monitor('b/2')];
  const order = (by: string) => JSON.stringify({ kind: 'reset-cooldown', by, atMs: 1 });
  await redis.rpush(keys.orders, order('first'), 'nonsense');
  await a.lease.take(0);
  const found = await a.memory.readOrders();
  expect(found.map(({ order }) => order?.by ?? null)).toEqual(['first', null]);
  await redis.rpush(keys.orders, order('second'));
  await redis.set(keys.monitorLease, b.lease.text);
  await a.memory.forgetOrders(found);
  expect(await redis.llen(keys.orders)).toBe(3);
  await b.memory.forgetOrders(found);
  expect(await redis.lrange(keys.orders, 0, -1)).toEqual([order('second')]);
});

const assignment: AssignmentToken = { recovery: 'i1', jobId: 'evacuate-i1-1', epoch: 7 };
test.each([
  ['the job of the recovery', { epoch: 7, revision: 1, jobs: { i1: 'evacuate-i1-1' } }, 'valid'],
  ['after a take-over', { epoch: 9, revision: 1, jobs: { i1: 'evacuate-i1-1' } }, 'valid'],
  ['a further attempt', { epoch: 9, revision: 1, jobs: { i1: 'evacuate-i1-2' } }, 'superseded'],
  ['another recovery', { epoch: 7, revision: 1, jobs: { i2: 'evacuate-i2-1' } }, 'superseded'],
  ['no recovery any more', { epoch: 7, revision: 1, jobs: {} }, 'superseded'],
  ['from before the job', { epoch: 6, revision: 1, jobs: {} }, 'unknown'],
  ['none', null, 'unknown'],
] as [string, Assignments | null, ReturnType<typeof judgeAssignment>][])(
  'assignments: %s',
  async (_, assignments, verdict) => {
    expect(judgeAssignment(assignments, assignment)).toBe(verdict);
    // The same rule as a script, in one step with each change.
    const storage = new RedisJournalStorage(redis, keys, noKey());
    const lock = { host: 'hv01', targets: ['hv04'], token: 'mine', assignment };
    const journal = { id: 'i1', text: '{}' };
    await storage.takeLocks(lock, 5_000);
    if (assignments !== null) await redis.set(keys.assignments, JSON.stringify(assignments));
    const answer = verdict === 'valid' ? 'granted' : verdict;
    expect(await storage.save(lock, journal)).toBe(answer);
    expect(await storage.journal('i1')).toBe(verdict === 'valid' ? '{}' : null);
    expect(await storage.renewLocks(lock, 5_000)).toBe(answer);
    expect(await storage.end(lock, journal, 60)).toBe(answer);
    expect(await redis.exists(keys.lock('hv01'), keys.lock('hv04'))).toBe(verdict === 'valid' ? 0 : 2);
    // By hand there is none to ask.
    const byHand = { host: 'hv02', targets: [], assignment: null };
    await storage.takeLocks({ ...byHand, token: 'mine' }, 5_000);
    expect(await storage.save({ ...byHand, token: 'mine' }, journal)).toBe('granted');
    expect(await storage.save({ ...byHand, token: 'other' }, journal)).toBe('not-locked');
  },
);

test('locks are taken all or none, and given back by whoever holds them', async () => {
  const storage = new RedisJournalStorage(redis, keys, noKey());
  const both = (host: string, token: string) => ({ host, targets: ['hv14'], token });
  expect(await storage.takeLocks(both('hv11', 'mine'), 5_000)).toBeNull();
  expect(await storage.takeLocks(both('hv12', 'other'), 5_000)).toEqual({ host: 'hv14', claim: null });
  expect(await redis.exists(keys.lock('hv12'))).toBe(0);
  const lock = { host: 'hv11', targets: ['hv14'], token: 'mine', assignment: null };
  expect(await storage.renewLocks(lock, 60_000)).toBe('granted');
  expect(await redis.pttl(keys.lock('hv14'))).toBeGreaterThan(50_000);
  await storage.releaseLocks(['hv11', 'hv14'], 'other');
  expect(await redis.exists(keys.lock('hv11'), keys.lock('hv14'))).toBe(2);
  // Without the lock of one target nothing is written any more.
  await redis.set(keys.lock('hv14'), 'other');
  expect(await storage.save(lock, { id: 'i9', text: '{}' })).toBe('not-locked');
  expect(await storage.renewLocks(lock, 60_000)).toBe('not-locked');
  await storage.releaseLocks(['hv11', 'hv14'], 'mine');
  expect(await redis.exists(keys.lock('hv11'))).toBe(0);
  expect(await redis.get(keys.lock('hv14'))).toBe('other');
});

describe('C7: a target belongs to the recovery whose journal is open, whether or not its worker lives', () => {
  const storage = () => new RedisJournalStorage(redis, keys, noKey());
  const token = (host: string, assigned: boolean) => ({
    ...{ host, targets: ['hv24'], token: `of ${host}` },
    assignment: assigned ? { recovery: `r-${host}`, jobId: `j-${host}`, epoch: 1 } : null,
  });
  const wants = (...hosts: string[]) =>
    redis.set(
      keys.assignments,
      JSON.stringify({
        ...{ epoch: 1, revision: 1 },
        jobs: Object.fromEntries(hosts.map((host) => [`r-${host}`, `j-${host}`])),
      }),
    );
  /** A worker that saved once and died. */
  const died = async (lock: ReturnType<typeof token>) => {
    expect(await storage().takeLocks(lock, 5_000)).toBeNull();
    expect(await storage().save(lock, { id: `r-${lock.host}`, text: '{}' })).toBe('granted');
    await storage().releaseLocks([lock.host, 'hv24'], lock.token);
  };
  const taken = { host: 'hv24', claim: expect.objectContaining({ host: 'hv24' }) };

  test('another host is not recovered onto it, the same one is, and its end gives it back', async () => {
    await wants('hv21', 'hv22');
    await died(token('hv21', true));
    const other = token('hv22', true);
    expect(await storage().takeLocks(other, 5_000)).toEqual(taken);
    expect(await redis.exists(keys.lock('hv22'), keys.lock('hv24')), 'all or none').toBe(0);
    const successor = { ...token('hv21', true), token: 'successor' };
    expect(await storage().takeLocks(successor, 5_000)).toBeNull();
    expect(await storage().end(successor, { id: 'r-hv21', text: '{}' }, 60)).toBe('granted');
    expect(await storage().takeLocks(other, 5_000)).toBeNull();
    await storage().releaseLocks(['hv22', 'hv24'], other.token);
  });

  test('one that the monitor does not want any more holds nothing', async () => {
    await wants('hv21', 'hv22');
    await died(token('hv21', true));
    await redis.del(keys.assignments);
    expect(await storage().takeLocks(token('hv22', true), 5_000), 'nobody knows').toEqual(taken);
    await wants('hv22');
    expect(await storage().takeLocks(token('hv22', true), 5_000)).toBeNull();
    await storage().releaseLocks(['hv22', 'hv24'], 'of hv22');
    await redis.del(keys.targetClaim('hv24'));
  });

  test('by hand nobody tells, so it ends by itself an hour after the last save', async () => {
    await wants();
    await died(token('hv21', false));
    expect(await storage().takeLocks(token('hv22', true), 5_000)).toEqual(taken);
    expect(await redis.ttl(keys.targetClaim('hv24'))).toBeGreaterThan(3_500);
    await redis.del(keys.targetClaim('hv24'));
  });

  test('a claim whose journal Redis lost is dropped', async () => {
    await wants('hv21', 'hv22');
    await died(token('hv21', true));
    await redis.del(keys.openJournal('hv21'), keys.journal('r-hv21'));
    const journals = new Journals(storage(), systemClock, noKey());
    const lock = await journals.lock(
      { host: 'hv22', targets: ['hv24'] },
      5_000,
      new AbortController().signal,
      null,
    );
    expect('heldByOther' in lock).toBe(false);
    if (!('heldByOther' in lock)) await lock.release();
  });
});

test('the assignments of a state name the job of each recovery', () => {
  const state = firstState('life');
  expect(assignmentsOf(state)).toEqual({ epoch: 0, revision: 0, jobs: {} });
});
