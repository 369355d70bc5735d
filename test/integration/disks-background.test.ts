// The background round over disks, with a real Redis: whose disks answered is kept, and addresses are learned from those
// only that are surely where Nova has them.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BackgroundAsking } from '../../src/ns4/baseline/background-asking.ts';
import { OpenedStore } from '../../src/ns4/disks/opened-store.ts';
import type { AskedImage, Storage } from '../../src/ns4/storage/storage.ts';
import type { Hypervisor, Server } from '../../src/shared/documents/inventory.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { connectRedis } from '../../src/shared/redis/connect.ts';
import type { Db } from '../../src/shared/redis/db.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { agent, hypervisor, inventory, nowMs, server } from '../support/inventories.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { settingsOf } from '../support/redis-client.ts';

const log = pino({ level: 'silent' });
const keys = keysOf('disks');
const hour = 3_600_000;
const slotMs = 10_000;

let redisServer: TestRedis;
let redis: Db;
beforeAll(async () => {
  redisServer = await startRedis();
  redis = connectRedis(settingsOf(redisServer), 'disks', log);
});
afterEach(() => redis.multi().flushdb().exec());
afterAll(async () => {
  redis?.disconnect();
  await redisServer?.stop();
});

/** Two lists of servers, five minutes apart, each followed by a whole pass; hosts are read anew for each of its slots. */
async function twoTurns(
  servers: Server[],
  openAt: Readonly<Record<string, readonly [address: string, answered: boolean][]>>,
  change: {
    isHeard?: (slot: number) => boolean;
    hypervisors?: Hypervisor[];
    laterServers?: Server[];
    leaves?: boolean;
  } = {},
) {
  let atMs = nowMs;
  const clock = { nowMs: () => atMs, steadyMs: () => atMs, sleep: async () => undefined };
  const asked: string[] = [];
  const storage: Pick<Storage, 'ask'> = {
    async ask(images) {
      asked.push(...images);
      const answer = (image: string): AskedImage => {
        const openers = openAt[image];
        if (openers === undefined) return { kind: 'absent' };
        const of = ([address, answered]: readonly [string, boolean], i: number) => ({
          ...{ client: `client.${i}`, cookie: '1', address, answered },
        });
        return { kind: 'asked', openers: openers.map(of) };
      };
      return new Map(images.map((image) => [image, answer(image)]));
    },
  };
  const store = new OpenedStore(redis, keys);
  const stored = new InventoryStore(redis, keys);
  // As Nova has them right when it is asked; who leaves is gone each second time.
  let listed: Server[] = servers;
  let lists = 0;
  const listServers = async (_: AbortSignal, host?: string) => {
    const on = listed.filter((one) => one.host === host);
    if (on.length > 0) lists += 1;
    return change.leaves && lists % 2 === 0 ? [] : on;
  };
  const parts = {
    cloud: { listServers },
    storage,
    pools: ['vms', 'volumes'],
    store,
    rules: { heartbeatPeriodMs: 40_000 },
  };
  const round = new BackgroundAsking({ ...parts, inventory: stored, clock, log });
  const write = async (list: Server[], withServers: boolean) => {
    const isHeard = change.isHeard?.((atMs - nowMs) / slotMs) ?? true;
    const heardAtMs = isHeard ? atMs : nowMs - hour;
    const hypervisors = (change.hypervisors ?? [hypervisor('hv01'), hypervisor('hv02')]).map((h) => ({
      ...h,
      reportedAtMs: heardAtMs,
    }));
    const agents = hypervisors.map(({ host }) => agent(host, nowMs - heardAtMs));
    const { hosts, servers: all } = inventory({ hypervisors, agents, servers: list }, atMs);
    await stored.write({ ...hosts, cloud: 'disks' }, withServers ? all : null);
  };
  for (const list of [servers, change.laterServers ?? servers]) {
    listed = list;
    await write(list, true);
    // Each slot has its turn.
    for (let slot = 0; slot < 31; slot += 1) {
      await round.turn();
      atMs += slotMs;
      await write(list, false);
    }
  }
  return { asked, store };
}

test('whose disks answered, where and by which images; and the address of each host', async () => {
  const servers = [server('vm1', 'hv01'), server('vm2', 'hv02', { volumes: ['v2'] })];
  const { asked, store } = await twoTurns(servers, {
    'vms/id-vm1_disk': [['10.2.0.1', true]],
    'volumes/volume-v2': [['10.2.0.2', true]],
  });
  expect([...new Set(asked)].sort()).toEqual([
    'vms/id-vm1_disk',
    'vms/id-vm2_disk',
    'vms/volume-v2',
    'volumes/id-vm1_disk',
    'volumes/id-vm2_disk',
    'volumes/volume-v2',
  ]);
  const known = await store.of(['id-vm1', 'id-vm2', 'nobody']);
  expect(known.get('id-vm1')).toMatchObject({ host: 'hv01', images: ['vms/id-vm1_disk'] });
  expect(known.get('id-vm2')).toMatchObject({ host: 'hv02', images: ['volumes/volume-v2'] });
  expect(known.size).toBe(2);
  expect((await store.addresses()).map(({ host, address }) => [host, address]).sort()).toEqual([
    ['hv01', '10.2.0.1'],
    ['hv02', '10.2.0.2'],
  ]);
  expect(await store.elsewhere(new Set(['hv01']), nowMs, 10)).toMatchObject([{ host: 'hv02' }]);
});

const at1: [string, boolean][] = [['10.2.0.1', true]];

test('the address of a single one that nothing speaks against is learned', async () => {
  const { store } = await twoTurns([server('vm1', 'hv01')], { 'vms/id-vm1_disk': at1 });
  expect(await store.addresses()).toMatchObject([{ host: 'hv01', address: '10.2.0.1' }]);
});

test.each<[string, Partial<Server>, [string, boolean][], object]>([
  ['it was launched just now', { launchedAtMs: nowMs + 560_000 }, at1, {}],
  ['it is in migration', { taskState: 'migrating' }, at1, {}],
  ['two have it open', {}, [...at1, ['10.2.0.7', true]], {}],
  ['its opener is silent', {}, [['10.2.0.1', false]], {}],
  ['its host is not heard', {}, at1, { isHeard: () => false }],
  ['its host is down', {}, at1, { hypervisors: [hypervisor('hv01', { state: 'down' })] }],
  ['it left its host while it was asked', {}, at1, { leaves: true }],
])('no address is learned when %s', async (_, change, openers, cloud) => {
  const servers = [server('vm1', 'hv01', change)];
  const { store } = await twoTurns(servers, { 'vms/id-vm1_disk': openers }, cloud);
  expect(await store.addresses()).toEqual([]);
});

test('a host that is not heard for a moment each minute is learned from in between', async () => {
  const { store } = await twoTurns(
    [server('vm1', 'hv01')],
    { 'vms/id-vm1_disk': at1 },
    { isHeard: (slot) => slot % 6 !== 0 },
  );
  expect(await store.addresses()).toMatchObject([{ host: 'hv01', address: '10.2.0.1' }]);
});

test('instances that are gone are forgotten', async () => {
  const { store } = await twoTurns([server('vm1', 'hv01')], { 'vms/id-vm1_disk': at1 }, { laterServers: [] });
  expect((await store.of(['id-vm1'])).size).toBe(0);
});
