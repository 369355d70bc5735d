// Orders to power a host off through another vantage point, in a real Redis: each is taken once, by one, while whoever
// gave it has the lock; and a level of a recovery that is told through a real queue, where whoever has the run of Redis
// and no key gets nobody shot and proves nobody off.
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Devices } from '../../src/ns4/fencing/devices.ts';
import { farDevices } from '../../src/ns4/fencing/far/far-devices.ts';
import { RedisFenceOrders, whyNot } from '../../src/ns4/fencing/far/orders.ts';
import { fenceHandlers } from '../../src/ns4/jobs/fence.ts';
import type { OwnHandlers } from '../../src/shared/documents/jobs/contracts.ts';
import type { Distrust } from '../../src/shared/documents/terms/distrust.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { Channel, fenceQueue, JobWorker } from '../../src/shared/jobs/queue.ts';
import { redisOptions } from '../../src/shared/redis/connect.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { VantagePointRegistry } from '../../src/shared/vantage-points/registry.ts';
import { never } from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { keyed, noKey, otherKey } from '../support/trust.ts';

const log = pino({ level: 'silent' });
const cloud = 'fenced-elsewhere';
const keys = keysOf(cloud);
const byHand = { token: 'ours', assignment: null };
let server: TestRedis;
let redis: Redis;
let orders: RedisFenceOrders;
let told: Distrust[] = [];
const whys = () => told.map(({ what, why }) => `${what} ${why}`);
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await startRedis();
  redis = redisClient(settingsOf(server), cloud);
});
beforeEach(() => {
  told = [];
  orders = new RedisFenceOrders(redis, keys, keyed(cloud, { told }));
});
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
  await redis.flushdb();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

test('taken by one, who may ask again; not by another one, nor withdrawn any more', async () => {
  await redis.set(keys.lock('hv01'), 'ours');
  const placedAtMs = await orders.place('a');
  expect(Math.abs(placedAtMs - Date.now())).toBeLessThan(5_000);
  const order = { id: 'a', right: byHand };
  const taken = await orders.take(order, 'hv01', 'one');
  expect(taken).toEqual({ nowMs: expect.any(Number), assignments: null });
  expect(await orders.take(order, 'hv01', 'one')).toMatchObject({ assignments: null });
  expect(await orders.take(order, 'hv01', 'two')).toBe('gone');
  expect(await orders.withdraw('a')).toBe(true);
});

test('two at once: one of them', async () => {
  await redis.set(keys.lock('hv01'), 'ours');
  await orders.place('a');
  const takers = ['one', 'two', 'three'].map((taker) =>
    orders.take({ id: 'a', right: byHand }, 'hv01', taker),
  );
  expect((await Promise.all(takers)).filter((found) => found === 'gone')).toHaveLength(2);
});

const assignments = { epoch: 2, revision: 1, jobs: { 'r.1': 'recover-r.1-1' } };
const assigned = {
  ...{ id: 'a', right: { token: 'ours', assignment: { recovery: 'r.1', jobId: 'recover-r.1-1', epoch: 2 } } },
  untilMs: Number.POSITIVE_INFINITY,
};

// What stands in the place of the monitor's assignments; `before`: what stood there a moment ago.
test.each<[string, string, string | null, string[]]>([
  ['forged', JSON.stringify(assignments), null, ['assignments unsigned']],
  ['by another key', sealed(assignments, [otherKey]), null, ['assignments wrong']],
  [
    'older ones, put back',
    sealed(assignments),
    sealed({ ...assignments, revision: 2, jobs: {} }),
    ['assignments again'],
  ],
  ['no text of ours', 'garbage', null, []],
])('assignments that are %s permit nothing', async (_, text, before, refused) => {
  await redis.set(keys.lock('hv01'), 'ours');
  await orders.place('a');
  if (before !== null) {
    await redis.set(keys.assignments, before);
    expect(whyNot(assigned, await orders.take(assigned, 'hv01', 'one'))).toContain('not any more');
  }
  await redis.set(keys.assignments, text);
  expect(whyNot(assigned, await orders.take(assigned, 'hv01', 'one'))).toContain('does not hold');
  expect(whys()).toEqual(refused);
});

function sealed(document: object, by?: readonly string[]): string {
  return keyed(cloud, by === undefined ? {} : { keys: by }).text('assignments', '', document);
}

test('withdrawn, and without the lock of whoever gave it: not taken; an assignment is handed on', async () => {
  const order = { id: 'a', right: byHand };
  await orders.place('a');
  expect(await orders.take(order, 'hv01', 'one')).toBe('not-locked');
  await redis.set(keys.lock('hv01'), 'another');
  expect(await orders.take(order, 'hv01', 'one')).toBe('not-locked');
  await redis.set(keys.lock('hv01'), 'ours');
  await redis.set(keys.assignments, keyed(cloud).text('assignments', '', assignments));
  expect(await orders.take(order, 'hv01', 'one')).toMatchObject({ assignments });
  await orders.place('b');
  expect(await orders.withdraw('b')).toBe(false);
  expect(await orders.withdraw('b'), 'not there: nobody knows').toBe(true);
  expect(await orders.take({ id: 'b', right: byHand }, 'hv01', 'one')).toBe('gone');
});

/** A BMC of one that fences. */
class Bmc {
  offs = 0;
  readonly devices: Devices;

  constructor(onTold: (signal: AbortSignal) => Promise<void> = async () => {}) {
    this.devices = {
      levelsOf: async () => [{ number: 1, isListener: false, devices: [{ agent: 'fence_ipmilan' }] }],
      powerOff: async (call) => {
        await call.beforeTelling();
        this.offs += 1;
        await onTold(call.signal);
        const told = [{ device: 0, effect: 'taken', seenOff: true }] as const;
        return { off: true, atMs: Date.now(), output: 'off', told };
      },
      listen: () => Promise.reject(new Error('nobody listens')),
      look: async () => [{ says: 'off', said: 'Status: OFF' }],
    };
  }
}

/** An ns4 that fences and does nothing else. */
async function fences(name: string, bmc: Bmc): Promise<JobWorker> {
  const own = { name, plan: 'p', devices: bmc.devices, orders, clock: systemClock };
  const handlers = fenceHandlers(own) as OwnHandlers;
  const worker = new JobWorker(settingsOf(server), cloud, keyed(cloud, { told }), handlers, name, log);
  const registry = new VantagePointRegistry(redis, keys);
  const joined = registry.join(name, log, 'p');
  opened.push(worker, { close: () => joined.leave() });
  await until(
    async () => (await registry.list()).names,
    (names) => names.includes(name),
  );
  return worker;
}

function far(): Devices {
  const queue = new Channel(fenceQueue, settingsOf(server), cloud, keyed(cloud, { told }), log, null);
  opened.push(queue);
  return farDevices({ queue, orders, registry: new VantagePointRegistry(redis, keys), clock: systemClock });
}

const powerOff = async (devices: Devices) => tell(devices, 'hv01', await devices.levelsOf('hv01', never));

/** By the first level. */
async function tell(devices: Devices, host: string, levels: Awaited<ReturnType<Devices['levelsOf']>>) {
  const [level] = 'failure' in levels ? [] : levels;
  if (level === undefined || level.kind === 'ceph') throw new Error('no level was told');
  const call = { host, level, timeoutMs: 3_000, signal: never, right: byHand };
  return devices.powerOff({ ...call, beforeTelling: async () => {} });
}

test('through the queue of two that fence: one of them tells its device, once', async () => {
  await redis.set(keys.lock('hv01'), 'ours');
  const bmcs = [new Bmc(), new Bmc()];
  for (const [i, bmc] of bmcs.entries()) await fences(`ctl${i + 1}`, bmc);
  const result = await powerOff(far());
  expect(result).toMatchObject({ off: true, output: expect.stringMatching(/told by ctl[12]/) });
  expect(bmcs.map(({ offs }) => offs).toSorted()).toEqual([0, 1]);
});

test('stopped in the act: lost, as it was told', async () => {
  await redis.set(keys.lock('hv01'), 'ours');
  const bmc = new Bmc(
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const worker = await fences('ctl1', bmc);
  const asked = powerOff(far());
  await until(
    async () => bmc.offs,
    (offs) => offs === 1,
  );
  await worker.close();
  expect(await asked).toMatchObject({ off: false, told: [], failure: { failure: 'lost' } });
}, 30_000);

describe('whoever has the run of Redis, and no key', () => {
  const connection = () => ({ ...redisOptions(settingsOf(server), cloud), maxRetriesPerRequest: null });
  const queueOf = (): Queue => {
    const queue = new Queue(fenceQueue, { connection: connection(), prefix: keys.prefix });
    opened.push(queue);
    return queue;
  };
  const { prefix } = keys;
  const off = (id: string) => ({
    ...{ host: 'hv01', level: 1, agents: ['fence_ipmilan'], plan: 'p', tell: null, timeoutMs: 3_000 },
    order: { id, right: byHand, untilMs: Date.now() + 60_000 },
    requestedAtMs: Date.now(),
  });
  const failed = (queue: Queue, id: string) =>
    until(
      async () => (await queue.getJob(id))?.failedReason ?? '',
      (reason) => reason !== '',
    );

  test.each<[string, () => object, string]>([
    ['not signed', () => off('x'), 'job unsigned'],
    [
      'signed by another key',
      () => keyed(cloud, { keys: [otherKey] }).seal('job', subject, off('x')),
      'job wrong',
    ],
    ['signed for another job', () => keyed(cloud).seal('job', 'fence/fence-off/y', off('x')), 'job wrong'],
    ['signed as an answer', () => keyed(cloud).seal('outcome', subject, off('x')), 'job wrong'],
    [
      'a look, not signed',
      () => ({ host: 'hv01', level: null, devices: null, timeoutMs: 1_000 }),
      'job unsigned',
    ],
  ])('an order that is %s: refused aloud, and nobody is told', async (what, dataOf, refused) => {
    await redis.set(keys.lock('hv01'), 'ours');
    await redis.set(keys.fenceOrder('x'), 'open');
    const bmc = new Bmc();
    await fences('ctl1', bmc);
    const queue = queueOf();
    const name = what.startsWith('a look') ? 'fence-status' : 'fence-off';
    await queue.add(name, dataOf(), { jobId: 'fence-off-x' });
    expect(await failed(queue, 'fence-off-x')).toContain('is not signed');
    expect(bmc.offs).toBe(0);
    expect(whys()).toEqual([refused]);
  });

  test('one that was carried out, put back under its own name: refused, and its device is told once', async () => {
    await redis.set(keys.lock('hv01'), 'ours');
    const bmc = new Bmc();
    await fences('ctl1', bmc);
    expect(await powerOff(far())).toMatchObject({ off: true });
    const queue = queueOf();
    const [done] = (await queue.getCompleted()).filter(({ name }) => name === 'fence-off');
    if (done === undefined) throw new Error('nothing was carried out');
    await queue.remove(done.id ?? '');
    await redis.set(keys.fenceOrder(done.data.order.id), 'open');
    await queue.add('fence-off', done.data, { jobId: done.id ?? '' });
    expect(await failed(queue, done.id ?? '')).toContain('was taken already');
    expect(bmc.offs).toBe(1);
    expect(whys()).toEqual(['job again']);
  });

  // What answers in the place of one that fences: nothing of it is a proof.
  const proof = { kind: 'ended', by: 'ctl1', end: { off: true, afterMs: 0, output: 'off', told: [] } };
  test.each<[string, (honest: object) => object, string]>([
    ['not signed', () => proof, 'outcome unsigned'],
    [
      'signed by another key',
      () => keyed(cloud, { keys: [otherKey] }).seal('outcome', 'fence/fence-off/x', proof),
      'outcome wrong',
    ],
    ['that of an earlier order', (honest) => honest, 'outcome wrong'],
  ])(
    'an answer that is %s proves nobody off',
    async (_, answerOf, refused) => {
      await redis.set(keys.lock('hv01'), 'ours');
      const devices = far();
      const worker = await fences('ctl1', new Bmc());
      expect(await powerOff(devices)).toMatchObject({ off: true });
      const queue = queueOf();
      const [done] = (await queue.getCompleted()).filter(({ name }) => name === 'fence-off');
      const levels = await devices.levelsOf('hv02', never);
      await worker.close();
      const forger = new Worker(fenceQueue, async () => answerOf(done?.returnvalue), {
        ...{ connection: connection(), prefix, concurrency: 4 },
      });
      opened.push(forger);
      expect(await tell(devices, 'hv02', levels)).toMatchObject({ off: false });
      expect(whys()).toEqual([refused]);
      expect(await devices.look('hv02', { number: 1, agent: 'fence_ipmilan' }, 3_000, never)).toMatchObject([
        { says: 'unknown' },
      ]);
      expect(await devices.levelsOf('hv02', never)).toMatchObject({ failure: 'nobody-fences' });
    },
    30_000,
  );

  test('one without a key, where the others have one: nobody is told by it, and it believes nobody', async () => {
    await redis.set(keys.lock('hv01'), 'ours');
    const bmc = new Bmc();
    await fences('ctl1', bmc);
    const queue = new Channel(fenceQueue, settingsOf(server), cloud, noKey(cloud), log, null);
    opened.push(queue);
    const registry = new VantagePointRegistry(redis, keys);
    const devices = farDevices({ queue, orders, registry, clock: systemClock });
    expect(await devices.levelsOf('hv01', never)).toMatchObject({
      failure: 'nobody-fences',
      detail: expect.stringContaining('is not signed'),
    });
    expect(bmc.offs).toBe(0);
  });
});
const subject = 'fence/fence-off/fence-off-x';
