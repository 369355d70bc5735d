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
import { type Clock, systemClock } from '../../src/shared/ground/clock.ts';
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

const nobodys = (...addresses: string[]) => new Map(addresses.map((address) => [address, null]));
const store = () => new HeardStore(redis, keys, 'ctl1');

/** An inventory of one host with two guests, as a refresh writes it. */
async function write(
  change: { guests?: readonly LoopbackAddress[]; atMs?: number; reportedAtMs?: number } = {},
): Promise<void> {
  const { guests = [guest, mute], atMs = Date.now(), reportedAtMs = atMs } = change;
  const { hosts, servers } = inventory({
    hypervisors: [hypervisor('hv01', { address: host.address, reportedAtMs })],
    servers: guests.map((one, i) => server(`vm-${i}`, 'hv01', { addresses: [address(one.address)] })),
  });
  await new InventoryStore(redis, keys).write(
    { ...hosts, collectedAtMs: atMs },
    { ...servers, collectedAtMs: atMs },
  );
}

/** With another clock it is not started: whoever has that takes its turns. */
function background(clock: Clock = systemClock): BackgroundScan {
  running = new BackgroundScan({
    ...{ inventory: new InventoryStore(redis, keys), heard: store(), ears: {}, scanning },
    ...{ rules: { heartbeatPeriodMs: 40_000 }, clock, log },
  });
  if (clock === systemClock) running.start();
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

/** Pass after pass, by a clock that is set forward, while the host reports until then. */
async function pass(scan: BackgroundScan, clock: { aheadMs: number }, passes: number, reportedAtMs?: number) {
  for (let slot = 0; slot < 30 * passes; slot += 1) {
    clock.aheadMs += 10_000;
    const nowMs = Date.now() + clock.aheadMs;
    if (slot % 3 === 0)
      await write({ guests: [guest, mute], atMs: nowMs, reportedAtMs: reportedAtMs ?? nowMs });
    await scan.turn();
  }
}

test('a guest that falls silent while its host reports is noted as mute, until it answers; with its host it is not', async () => {
  const clock = { aheadMs: 0 };
  const scan = background({
    ...systemClock,
    nowMs: () => Date.now() + clock.aheadMs,
    steadyMs: () => systemClock.steadyMs() + clock.aheadMs,
  });
  const isMute = async () => (await store().lastHeard([guest.address])).get(guest.address)?.isMute;
  try {
    await mute.become('answers');
    await pass(scan, clock, 1);
    expect((await store().lastHeard([guest.address])).get(guest.address)).toMatchObject({
      ...{ of: 'id-vm-0', isMute: false },
    });
    await guest.become('silent');
    const diedAtMs = Date.now() + clock.aheadMs;
    await pass(scan, clock, 4, diedAtMs);
    expect(await isMute()).toBe(false);
    await pass(scan, clock, 4);
    expect(await isMute()).toBe(true);
    await guest.become('answers');
    await pass(scan, clock, 1);
    expect(await isMute()).toBe(false);
  } finally {
    await scan.close();
    await guest.become('answers');
    await mute.become('silent');
  }
}, 60_000);

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
  await heard.note(nobodys('10.0.0.1', '10.0.0.2', '10.0.0.3'), nowMs - 3_700_000);
  await heard.note(nobodys('10.0.0.2'), nowMs - 60_000);
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

test('each answer is kept with whose it was; who fell silent is so until it answers, and old entries are read', async () => {
  const heard = store();
  await redis.multi().hset(keys.heard('ctl1'), '10.0.0.3', '1700000000000').exec();
  await heard.note(
    new Map([
      ['10.0.0.1', 'vm1'],
      ['10.0.0.2', null],
    ]),
    1_700_000_100_000,
  );
  await heard.noteMute(new Map([['10.0.0.1', 1_700_000_200_000]]));
  const asked = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
  expect(Object.fromEntries(await heard.lastHeard(asked))).toEqual({
    '10.0.0.1': { atMs: 1_700_000_100_000, of: 'vm1', isMute: true },
    '10.0.0.2': { atMs: 1_700_000_100_000, of: null, isMute: false },
    '10.0.0.3': { atMs: 1_700_000_000_000, of: null, isMute: false },
  });
  await heard.note(new Map([['10.0.0.1', 'vm9']]), 1_700_000_300_000);
  expect((await heard.lastHeard(asked)).get('10.0.0.1')).toEqual({
    ...{ atMs: 1_700_000_300_000, of: 'vm9', isMute: false },
  });
  await heard.noteMute(new Map([['10.0.0.1', 1_700_000_400_000]]));
  await heard.prune(() => false, 1_800_000_000_000);
  expect(await redis.hgetall(keys.heard('ctl1'))).toEqual({});
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
  await store().note(nobodys(mute.address), Date.now() - 60_000);
  const launched = (agoMs: number) => ({
    ...asked,
    targets: [target('mute', mute.address, Date.now() - agoMs)],
  });
  expect(await look(asked, never)).toMatchObject({ targets: { mute: { state: 'silent' } } });
  expect(await look(launched(120_000), never)).toMatchObject({ targets: { mute: { state: 'silent' } } });
  expect(await look(launched(30_000), never)).toMatchObject({ targets: { mute: { neverHeard: true } } });
  // A floating address: what its former owner answered is not the new one's.
  const guests = { ...asked, targets: [{ ...target('vm1', mute.address, 0), kind: 'guest' as const }] };
  expect(await look(guests, never)).toMatchObject({ targets: { vm1: { state: 'silent' } } });
  await store().note(new Map([[mute.address, 'vm0']]), Date.now());
  expect(await look(guests, never)).toMatchObject({ targets: { vm1: { neverHeard: true } } });
  await store().note(new Map([[mute.address, 'vm1']]), Date.now());
  expect(await look(guests, never)).toMatchObject({ targets: { vm1: { state: 'silent' } } });
  await store().noteMute(new Map([[mute.address, Date.now()]]));
  expect(await look(guests, never)).toMatchObject({ targets: { vm1: { neverHeard: true, goneMute: true } } });
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
