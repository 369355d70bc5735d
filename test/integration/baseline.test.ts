// What a vantage point heard, in a real Redis and over real sockets: the background scan, and a scan judged by it.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type AddressBlock, takeAddressBlock } from '../../simulator/network/address-block.ts';
import { LoopbackAddress } from '../../simulator/network/loopback-address.ts';
import { BackgroundScan } from '../../src/ns4/baseline/background-scan.ts';
import { HeardStore } from '../../src/ns4/baseline/heard.ts';
import { lookWithBaseline } from '../../src/ns4/baseline/look.ts';
import type { ScanTarget } from '../../src/shared/documents/jobs/scan.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { connectRedis } from '../../src/shared/redis/connect.ts';
import type { Db } from '../../src/shared/redis/db.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { address, hypervisor, inventory, server } from '../support/inventories.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { settingsOf } from '../support/redis-client.ts';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const cloud = 'baseline';
const keys = keysOf(cloud);
const port = 10_022;
const scanning = {
  ...{ timeoutMs: 250, refusedMeans: 'alive' as const, controls: [] },
  ...{ hypervisorPorts: [port], instancePorts: [port] },
};

let redisServer: TestRedis;
let redis: Db;
let block: AddressBlock;
let host: LoopbackAddress;
let guest: LoopbackAddress;
let mute: LoopbackAddress;
let running: BackgroundScan | null = null;

beforeAll(async () => {
  redisServer = await startRedis();
  redis = connectRedis(settingsOf(redisServer), cloud, log);
  block = await takeAddressBlock();
  const at = (n: number) => new LoopbackAddress(`127.${block.number}.1.${n}`, { open: [port], closed: [] });
  [host, guest, mute] = [at(1), at(2), at(3)];
  for (const address of [host, guest]) await address.become('answers');
  await mute.become('silent');
});
afterEach(async () => {
  await running?.close();
  running = null;
  await redis.multi().flushdb().exec();
});
afterAll(async () => {
  for (const address of [host, guest, mute]) await address?.close();
  await block?.release();
  redis?.disconnect();
  await redisServer?.stop();
});

const store = () => new HeardStore(redis, keys, 'ctl1');

/** An inventory of one host with two guests, as a refresh writes it. */
async function write(change: { guests?: readonly LoopbackAddress[] } = {}): Promise<void> {
  const { guests = [guest, mute] } = change;
  const { hosts, servers } = inventory({
    hypervisors: [hypervisor('hv01', { address: host.address })],
    servers: guests.map((one, i) => server(`vm-${i}`, 'hv01', { addresses: [address(one.address)] })),
  });
  await new InventoryStore(redis, keys).write(
    { ...hosts, collectedAtMs: Date.now() },
    { ...servers, collectedAtMs: Date.now() },
  );
}

function background(): BackgroundScan {
  running = new BackgroundScan({
    ...{ inventory: new InventoryStore(redis, keys), heard: store(), ears: {}, scanning },
    ...{ clock: systemClock, log },
  });
  running.start();
  return running;
}

const heardNow = async () => [
  ...(await store().lastHeard([host.address, guest.address, mute.address])).keys(),
];

test('after the first refresh everybody is asked within seconds, and who answers is noted', async () => {
  background();
  await delay(200);
  expect(await heardNow()).toEqual([]);
  await write();
  await until(heardNow, (found) => found.length === 2, 4_000);
  expect(await heardNow()).toEqual([host.address, guest.address]);
});

test('an instance that is new is asked within seconds, too; what Redis loses is asked anew', async () => {
  await write({ guests: [] });
  background();
  await until(heardNow, (found) => found.length === 1, 4_000);
  await write({ guests: [guest] });
  await until(heardNow, (found) => found.length === 2, 4_000);
  await redis.multi().del(keys.heard('ctl1')).exec();
  await until(heardNow, (found) => found.length === 2, 15_000);
}, 30_000);

test('it ends at once when told so', async () => {
  await write();
  const scan = background();
  await until(heardNow, (found) => found.length > 0, 4_000);
  const beganMs = Date.now();
  await scan.close();
  expect(Date.now() - beganMs).toBeLessThan(500);
});

test('what left the inventory is forgotten after an hour, and the whole when nobody adds to it for long', async () => {
  const heard = store();
  const nowMs = Date.now();
  await heard.note(['10.0.0.1', '10.0.0.2', '10.0.0.3'], nowMs - 3_700_000);
  await heard.note(['10.0.0.2'], nowMs - 60_000);
  expect(await heard.beginsAnew()).toBe(true);
  expect(await heard.beginsAnew()).toBe(false);
  await heard.prune((address) => address === '10.0.0.3', nowMs);
  expect([...(await heard.lastHeard(['10.0.0.1', '10.0.0.2', '10.0.0.3'])).keys()]).toEqual([
    '10.0.0.2',
    '10.0.0.3',
  ]);
  expect(await heard.beginsAnew()).toBe(false);
  const life = Number((await redis.multi().pttl(keys.heard('ctl1')).exec())?.[0]?.[1]);
  expect(life).toBeGreaterThan(6 * 86_400_000);
  expect(life).toBeLessThanOrEqual(7 * 86_400_000);
});

const target = (name: string, address: string, heardSinceMs?: number): ScanTarget => ({
  ...{ name, endpoints: [{ address, port }] },
  ...(heardSinceMs === undefined ? {} : { heardSinceMs }),
});

test('a scan calls silent only who was heard before, and notes who answers', async () => {
  const look = lookWithBaseline({
    disks: null,
    settings: scanning,
    heard: store(),
    ears: {},
    clock: systemClock,
    log,
  });
  const control = target('control', guest.address);
  const asked = {
    targets: [target('host', host.address), target('mute', mute.address)],
    controls: [control],
  };
  const first = await look(asked, never);
  expect(first).toMatchObject({
    outcome: 'seen',
    targets: {
      host: { state: 'answers' },
      mute: { state: 'unknown', neverHeard: true, detail: 'never heard from here' },
    },
  });
  // A control that never answered is nobody to wait for.
  const muteControl = {
    ...asked,
    targets: [target('host', host.address)],
    controls: [control, target('mute', mute.address)],
  };
  expect(await look(muteControl, never)).toMatchObject({
    controls: { control: { state: 'answers' }, mute: { neverHeard: true } },
  });
  expect(await heardNow()).toEqual([host.address, guest.address]);
  await store().note([mute.address], Date.now() - 60_000);
  const launched = (agoMs: number) => ({
    ...asked,
    targets: [target('mute', mute.address, Date.now() - agoMs)],
  });
  expect(await look(asked, never)).toMatchObject({ targets: { mute: { state: 'silent' } } });
  expect(await look(launched(120_000), never)).toMatchObject({ targets: { mute: { state: 'silent' } } });
  expect(await look(launched(30_000), never)).toMatchObject({ targets: { mute: { neverHeard: true } } });
});

test('a baseline that cannot be read leaves a silence unknown, and nobody never heard', async () => {
  const heard = {
    note: async () => undefined,
    lastHeard: () => Promise.reject(new Error('Redis is away')),
  };
  const look = lookWithBaseline({
    disks: null,
    settings: scanning,
    heard,
    ears: {},
    clock: systemClock,
    log,
  });
  const result = await look({ targets: [target('mute', mute.address)], controls: [] }, never);
  expect(result).toMatchObject({
    targets: {
      mute: { state: 'unknown', detail: 'whether it was heard before is not known: Redis is away' },
    },
  });
});
