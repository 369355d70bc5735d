// Orders to power a host off through another vantage point, in a real Redis: each is taken once, by one, while whoever
// gave it has the lock; and a level of a recovery that is told through a real queue.
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Devices } from '../../src/ns4/fencing/devices.ts';
import { farDevices } from '../../src/ns4/fencing/far/far-devices.ts';
import { RedisFenceOrders } from '../../src/ns4/fencing/far/orders.ts';
import { fenceHandlers } from '../../src/ns4/jobs/fence.ts';
import type { OwnHandlers } from '../../src/shared/documents/jobs/contracts.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { Channel, fenceQueue, JobWorker } from '../../src/shared/jobs/queue.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { VantagePointRegistry } from '../../src/shared/vantage-points/registry.ts';
import { never } from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { redisClient, settingsOf } from '../support/redis-client.ts';
import { keyed } from '../support/trust.ts';

const log = pino({ level: 'silent' });
const cloud = 'fenced-elsewhere';
const keys = keysOf(cloud);
const byHand = { token: 'ours', assignment: null };
let server: TestRedis;
let redis: Redis;
let orders: RedisFenceOrders;
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await startRedis();
  redis = redisClient(settingsOf(server), cloud);
  orders = new RedisFenceOrders(redis, keys, keyed(cloud));
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

test('withdrawn, and without the lock of whoever gave it: not taken; an assignment is handed on', async () => {
  const order = { id: 'a', right: byHand };
  await orders.place('a');
  expect(await orders.take(order, 'hv01', 'one')).toBe('not-locked');
  await redis.set(keys.lock('hv01'), 'another');
  expect(await orders.take(order, 'hv01', 'one')).toBe('not-locked');
  await redis.set(keys.lock('hv01'), 'ours');
  const assignments = { epoch: 2, revision: 1, jobs: { 'r.1': 'recover-r.1-1' } };
  await redis.set(keys.assignments, JSON.stringify(assignments));
  expect(await orders.take(order, 'hv01', 'one')).toMatchObject({ assignments });
  await orders.place('b');
  expect(await orders.withdraw('b')).toBe(false);
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
  const worker = new JobWorker(settingsOf(server), cloud, keyed(cloud), handlers, name, log);
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
  const queue = new Channel(fenceQueue, settingsOf(server), cloud, keyed(cloud), log, null);
  opened.push(queue);
  return farDevices({ queue, orders, registry: new VantagePointRegistry(redis, keys), clock: systemClock });
}

async function powerOff(devices: Devices) {
  const levels = await devices.levelsOf('hv01', never);
  const [level] = 'failure' in levels ? [] : levels;
  if (level === undefined || level.kind === 'ceph') throw new Error('no level was told');
  const call = { host: 'hv01', level, timeoutMs: 3_000, signal: never, right: byHand };
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
