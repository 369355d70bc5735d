// Signatures on a real Redis: each document that permits a dangerous step, written by somebody who has the run of Redis and
// no key, put back after it was used, or taken from elsewhere. Each is refused, and told once.
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assignmentsOf, firstState } from '../../src/monitor/core/state/state.ts';
import { statusOf } from '../../src/monitor/core/status.ts';
import { Lease } from '../../src/monitor/lease.ts';
import { Memory } from '../../src/monitor/memory.ts';
import { OperatorConfirmations } from '../../src/ns4/fencing/operator-confirmations.ts';
import { usableConfirmation } from '../../src/ns4/fencing/usable-confirmation.ts';
import { Journals } from '../../src/ns4/recovery/journal/journals.ts';
import { RedisJournalStorage } from '../../src/ns4/recovery/journal/redis-journal-storage.ts';
import type { Handlers } from '../../src/shared/documents/jobs/contracts.ts';
import type { ScanResult } from '../../src/shared/documents/jobs/scan.ts';
import type { Order } from '../../src/shared/documents/orders.ts';
import type { Distrust } from '../../src/shared/documents/terms/distrust.ts';
import { planOntoSpare } from '../../src/shared/documents/terms/plan.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { JobProducer } from '../../src/shared/jobs/job-producer.ts';
import { JobWorker } from '../../src/shared/jobs/queue.ts';
import { redisOptions } from '../../src/shared/redis/connect.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { leaveOrder } from '../../src/shared/redis/orders.ts';
import { VantagePointRegistry, vantagePointLifeMs } from '../../src/shared/vantage-points/registry.ts';
import { rules } from '../support/monitor-story.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { keyed, noKey, otherKey } from '../support/trust.ts';

const cloud = 'signed';
const keys = keysOf(cloud);
const log = pino({ level: 'silent' });
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

const ours = () => keyed(cloud, { told });
const whys = () => told.map(({ what, why }) => `${what} ${why}`);
const parsed = async (key: string) => JSON.parse((await redis.get(key)) ?? 'null');

describe('orders of operators', () => {
  const order: Order = { kind: 'reset-cooldown', by: 'alice', atMs: 1 };
  const memoryOf = async (trust = ours()) => {
    const lease = new Lease(redis, keys, 'a/1');
    await lease.take(0);
    return new Memory(redis, keys, lease.text, trust);
  };
  const obeyed = async (memory: Memory) =>
    (await memory.readOrders()).map((found) => found.order?.by ?? null);

  test('signed: obeyed, once; put back: refused', async () => {
    const memory = await memoryOf();
    await leaveOrder(redis, keys, keyed(cloud), order);
    const [text = ''] = await redis.lrange(keys.orders, 0, -1);
    const found = await memory.readOrders();
    expect(found.map((one) => one.order)).toEqual([order]);
    // Read again before it was forgotten (Redis failed in between): it is the same one, not another.
    expect(await obeyed(memory)).toEqual(['alice']);
    await memory.forgetOrders(found);
    await redis.rpush(keys.orders, text);
    expect(await obeyed(memory)).toEqual([null]);
    expect(whys()).toEqual(['order again']);
  });

  test('unsigned, by another key, changed, of another cloud, left long ago: refused', async () => {
    const memory = await memoryOf();
    const yesterday = { nowMs: () => Date.now() - 86_400_000, steadyMs: () => 0 };
    for (const trust of [
      noKey(cloud),
      keyed(cloud, { keys: [otherKey] }),
      keyed('elsewhere'),
      keyed(cloud, { clock: yesterday }),
    ])
      await redis.rpush(keys.orders, trust.text('order', '', order));
    await redis.rpush(keys.orders, keyed(cloud).text('order', '', order).replace('alice', 'mallory'));
    await redis.rpush(keys.orders, keyed(cloud).text('fence-word', 'hv01', order));
    expect(await obeyed(memory)).toEqual([null, null, null, null, null, null]);
    expect(whys()).toEqual(['order unsigned', 'order wrong', 'order old']);
  });

  test('a command without a key is told so where the monitor signs', async () => {
    await redis.set(keys.assignments, keyed(cloud).text('assignments', '', { epoch: 1 }));
    await expect(leaveOrder(redis, keys, noKey(cloud), order)).rejects.toThrow('set [REDIS] key_file');
    expect(await redis.llen(keys.orders)).toBe(0);
  });

  test("the monitor's state and assignments: only its own are gone on from", async () => {
    const memory = await memoryOf();
    const state = { ...firstState('life'), epoch: 5, revision: 3 };
    await memory.save(state, [], statusOf(state, { cloud, who: 'a/1', nowMs: 1, rules }));
    expect(await memory.read()).toEqual(state);
    expect(await memory.holds(state)).toBe(true);
    await redis.set(keys.assignments, JSON.stringify(assignmentsOf(state)));
    expect(await memory.holds(state)).toBe(false);
    await redis.set(keys.monitorState, JSON.stringify(state));
    await expect(memory.read()).rejects.toThrow("the monitor's state is not signed");
    expect(whys()).toEqual(['assignments unsigned', 'state unsigned']);
    expect(await (await memoryOf(noKey(cloud))).read()).toEqual(state);
  });
});

describe('assignments', () => {
  const assignment = { recovery: 'r1', jobId: 'recover-r1-1', epoch: 7 };
  const lock = { host: 'hv01', targets: [], token: 'mine', assignment };
  const document = (revision: number, epoch = 7) => ({ epoch, revision, jobs: { r1: 'recover-r1-1' } });
  const put = (found: object, trust = keyed(cloud)) =>
    redis.set(keys.assignments, trust.text('assignments', '', found));
  const storageOf = async (trust = ours()) => {
    const storage = new RedisJournalStorage(redis, keys, trust);
    await storage.takeLocks(lock, 60_000);
    return () => storage.save(lock, { id: 'r1', text: '{}' });
  };

  test('signed: granted; unsigned or by another key: as good as none', async () => {
    const save = await storageOf();
    await put(document(1));
    expect(await save()).toBe('granted');
    await put(document(2), noKey(cloud));
    expect(await save()).toBe('unknown');
    await put(document(2), keyed(cloud, { keys: [otherKey] }));
    expect(await save()).toBe('unknown');
    await put(document(2));
    expect(await save()).toBe('granted');
    expect(whys()).toEqual(['assignments unsigned', 'assignments wrong']);
  });

  test('older ones, put back, are as good as none', async () => {
    const save = await storageOf();
    await put(document(1));
    const old = (await redis.get(keys.assignments)) ?? '';
    expect(await save()).toBe('granted');
    await put(document(2));
    expect(await save()).toBe('granted');
    await redis.set(keys.assignments, old);
    expect(await save()).toBe('unknown');
    await put(document(1, 8));
    expect(await save()).toBe('granted');
    expect(whys()).toEqual(['assignments again']);
  });

  test('without a key: as ever', async () => {
    const save = await storageOf(noKey(cloud));
    await put(document(1), noKey(cloud));
    expect(await save()).toBe('granted');
  });
});

describe('jobs', () => {
  const scanned: ScanResult = { ok: true, outcome: 'seen', targets: {}, controls: {}, tookMs: 1 };
  const target = { name: 'hv01', kind: 'host' as const, endpoints: [{ address: '127.9.9.9', port: 22 }] };
  const silent: ScanResult = { ...scanned, targets: { hv01: { state: 'silent', detail: '1 port silent' } } };
  const begun: string[] = [];
  const opened: { close(): Promise<void> }[] = [];
  const leaving: { leave(): Promise<void> }[] = [];
  beforeEach(() => {
    begun.splice(0);
    return async () => {
      await Promise.all(leaving.splice(0).map((one) => one.leave()));
      await Promise.all(opened.splice(0).map((one) => one.close()));
    };
  });
  const settings = () => settingsOf(server);
  const ns4 = (name: string, trust = ours()) => {
    const handlers = {
      scan: async () => {
        begun.push(`scan by ${name}`);
        return silent;
      },
      'refresh-inventory': async () => {
        begun.push('refresh');
        return { ok: false, detail: 'no cloud' };
      },
      recover: async () => {
        begun.push('recover');
        throw new Error('no cloud');
      },
    };
    const worker = new JobWorker(settings(), cloud, trust, handlers as unknown as Handlers, name, log);
    opened.push(worker);
    leaving.push(new VantagePointRegistry(redis, keys).join(name, log));
  };
  const monitor = (quorum = 1, trust = ours()) => {
    const made = new JobProducer(settings(), cloud, trust, log, { quorum, timeoutMs: 300 });
    opened.push(made);
    return made;
  };
  const attackersQueue = (name: string) => {
    const connection = { ...redisOptions(settings(), cloud), maxRetriesPerRequest: null };
    const queue = new Queue(name, { connection, prefix: keys.prefix });
    opened.push(queue);
    return queue;
  };
  const refresh = { servers: false, requestedAtMs: 1 };

  test('a forged one is not begun; the same by who has the key is', async () => {
    ns4('eye1');
    await attackersQueue('work').add('refresh-inventory', refresh, { jobId: 'forged' });
    await attackersQueue('recover').add('recover', { dead: 'hv01' }, { jobId: 'recover-x1.1-1' });
    await attackersQueue('scan-eye1').add('scan', { targets: [], controls: [] }, { jobId: 'scan-x' });
    const jobs = monitor();
    await jobs.request('refresh-inventory', 'ours', refresh);
    expect(await until(() => jobs.outcome('refresh-inventory', 'ours'), ended)).toMatchObject({
      state: 'done',
    });
    await until(
      () => jobs.outcome('refresh-inventory', 'forged'),
      ({ state }) => state === 'failed',
    );
    await until(
      () => jobs.outcome('recover', 'recover-x1.1-1'),
      ({ state }) => state === 'failed',
    );
    expect(begun).toEqual(['refresh']);
    expect(whys()).toEqual(['job unsigned']);
  });

  test('one that was done, put back under the same id or another: refused', async () => {
    ns4('eye1');
    const jobs = monitor();
    await jobs.request('refresh-inventory', 'once', refresh);
    await until(() => jobs.outcome('refresh-inventory', 'once'), ended);
    const queue = attackersQueue('work');
    const data = (await queue.getJob('once'))?.data;
    await queue.remove('once');
    await queue.add('refresh-inventory', data, { jobId: 'once' });
    await queue.add('refresh-inventory', data, { jobId: 'twice' });
    const why = async (id: string) => {
      const outcome = await until(() => jobs.outcome('refresh-inventory', id), ended);
      return outcome.state === 'failed' ? outcome.detail : outcome.state;
    };
    expect(await why('once')).toContain('was taken already');
    expect(await why('twice')).toContain('is not signed by our key');
    expect(begun).toEqual(['refresh']);
  });

  test('an eye and a worker that anybody can make: their word does not count, and the quorum is not met', async () => {
    ns4('eye1');
    await redis.zadd(keys.vantagePoints, Date.now() + vantagePointLifeMs, 'eye2 x');
    const connection = { ...redisOptions(settings(), cloud), maxRetriesPerRequest: null };
    opened.push(new Worker('scan-eye2', async () => silent, { connection, prefix: keys.prefix }));
    const jobs = monitor(2);
    await jobs.request('scan', 'round-1', { targets: [target], controls: [], requestedAtMs: 1 });
    const outcome = await until(() => jobs.outcome('scan', 'round-1'), ended, 15_000);
    expect(outcome).toMatchObject({ state: 'done', result: { outcome: 'too-few-vantage-points' } });
    expect(begun).toEqual(['scan by eye1']);
    expect(whys()).toEqual(['outcome unsigned']);
  });

  test('whom a scan is asked of, and for what, stands in Redis: changed there it is nobody’s', async () => {
    ns4('eye1');
    const jobs = monitor();
    await jobs.request('scan', 'round-2', { targets: [target], controls: [], requestedAtMs: 1 });
    const text = (await redis.get(keys.quorumScan('round-2'))) ?? '';
    await redis.set(keys.quorumScan('round-2'), text.replace('127.9.9.9', '192.0.2.1'));
    expect(await jobs.outcome('scan', 'round-2')).toEqual({ state: 'missing' });
    expect(whys()).toEqual(['job wrong']);
  });

  test('one process with a key and another without: the one that demands it says so', async () => {
    ns4('eye1', noKey(cloud));
    const jobs = monitor();
    await jobs.request('refresh-inventory', 'mixed', refresh);
    const outcome = await until(() => jobs.outcome('refresh-inventory', 'mixed'), ended);
    expect(outcome).toMatchObject({ state: 'failed', detail: expect.stringContaining('has no key file') });
    expect(begun).toEqual(['refresh']);
  });
});
const ended = ({ state }: { state: string }) => state === 'done' || state === 'failed';

describe('the word that a host is off', () => {
  const word = () => ({ who: 'alice', atMs: Date.now() });
  const usable = (confirmations: OperatorConfirmations) =>
    usableConfirmation('hv01', null, { confirmations, clock: systemClock, log });

  test('signed: it counts once; unsigned, of another host, or put back: it does not', async () => {
    const confirmations = new OperatorConfirmations(redis, keys, ours());
    await confirmations.record('hv01', word());
    const text = (await redis.get(keys.fenceConfirmation('hv01'))) ?? '';
    expect(await usable(confirmations)).toMatchObject({ who: 'alice' });
    await redis.set(keys.fenceConfirmation('hv02'), text);
    expect(await confirmations.of('hv02')).toBeNull();
    await confirmations.useUp('hv01');
    await redis.set(keys.fenceConfirmation('hv01'), text);
    expect(await usable(confirmations)).toBeNull();
    await redis.set(keys.fenceConfirmation('hv01'), JSON.stringify(word()));
    expect(await usable(confirmations)).toBeNull();
    expect(whys()).toEqual(['fence-word wrong', 'fence-word again', 'fence-word unsigned']);
  });

  test.each([
    ['of the future', 60_000],
    ['older than an hour, though Redis still has it', -3_600_001],
  ])('%s: it does not count, with a key or without', async (_, byMs) => {
    const confirmations = new OperatorConfirmations(redis, keys, noKey(cloud));
    await confirmations.record('hv01', { who: 'alice', atMs: Date.now() + byMs });
    expect(await usable(confirmations)).toBeNull();
  });
});

describe('journals', () => {
  const journal = (id: string, dead: string) => ({
    ...{ version: 2, id, incident: 'x1', sonny: 's', dead, mover: 'api', evidence: [], acted: false },
    ...{ openedAtMs: 1, judgedAtMs: 1, progress: [], instances: {}, ended: null },
    plan: planOntoSpare('hv04'),
    proof: { by: 'operator', who: 'alice', atMs: Date.now(), failed: [] },
  });
  const journals = (trust = ours()) =>
    new Journals(new RedisJournalStorage(redis, keys, trust), systemClock, trust);
  const put = (id: string, text: string) => redis.set(keys.journal(id), text);

  test('a forged one, one of another recovery, one that another host is said to have: not gone on with', async () => {
    const signed = keyed(cloud).text('journal', 'x1.1', journal('x1.1', 'hv01'));
    await put('x1.1', signed);
    expect((await journals().read('x1.1'))?.proof).toMatchObject({ who: 'alice' });
    await put('x2.1', JSON.stringify(journal('x2.1', 'hv01')));
    await expect(journals().read('x2.1')).rejects.toThrow('is not signed: ');
    await put('x3.1', signed);
    await expect(journals().read('x3.1')).rejects.toThrow('is not signed by our key');
    await redis.set(keys.openJournal('hv02'), 'x1.1');
    await expect(journals().open('hv02')).rejects.toThrow('is that of another host');
    await put('x4.1', JSON.stringify(journal('x1.1', 'hv01')));
    await expect(journals(noKey(cloud)).read('x4.1')).rejects.toThrow('is that of another host or recovery');
  });

  test('a proof of the future is none, with a key or without; the journal itself is gone on with', async () => {
    const ahead = { ...journal('x1.1', 'hv01'), cutOff: { atMs: Date.now() + 9e10, addresses: [] } };
    ahead.proof.atMs = Date.now() + 3 * 365 * 86_400_000;
    for (const trust of [ours(), noKey(cloud)]) {
      await put('x1.1', trust.text('journal', 'x1.1', ahead));
      expect(await journals(trust).open('hv01')).toBeNull();
      expect(await journals(trust).read('x1.1')).toMatchObject({ dead: 'hv01', proof: null, cutOff: null });
    }
    expect(whys()).toEqual(['journal proof-ahead']);
  });

  test('what is saved under a lock is signed', async () => {
    const lock = await journals().lock({ host: 'hv01', targets: [] }, 0, new AbortController().signal, null);
    if ('heldByOther' in lock) throw new Error('nobody else is here');
    await put('x1.1', keyed(cloud).text('journal', 'x1.1', journal('x1.1', 'hv01')));
    const read = await journals().read('x1.1');
    if (read === null) throw new Error('it was just put there');
    await lock.save(read);
    await lock.release();
    expect(await parsed(keys.journal('x1.1'))).toMatchObject({ seal: { nonce: expect.any(String) } });
    expect(await journals().read('x1.1')).toMatchObject({ dead: 'hv01' });
  });
});
