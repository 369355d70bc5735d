// The inventory's keys in a real Redis: what a writer that dies, a Redis that forgets and an older version leave.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { onNoHost } from '../../src/shared/documents/inventory.ts';
import { noServers } from '../../src/shared/picture/reading.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { hypervisor, inventory, readWhole, server } from '../support/inventories.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const keys = keysOf('cloud1');
let running: TestRedis;
let redis: Redis;
let store: InventoryStore;

beforeAll(async () => {
  running = await startRedis();
  redis = new Redis({ port: running.port, protocol: 2 });
  store = new InventoryStore(redis, keys);
});
afterAll(async () => {
  redis.disconnect();
  await running.stop();
});
beforeEach(() => redis.flushall());

const hypervisors = ['hv01', 'hv02'].map((host) => hypervisor(host));
const cloud = (names: readonly string[], atMs: number) =>
  inventory({ hypervisors, servers: names.map((name) => server(name, 'hv01')) }, atMs);
const write = (names: readonly string[], atMs = 1) => {
  const { hosts, servers } = cloud(names, atMs);
  return store.write(hosts, servers);
};
const names = async () => (await readWhole(store)).servers.map(({ name }) => name);
const generations = () => redis.keys(keys.servers('*'));
const current = async (): Promise<string> =>
  keys.servers(JSON.parse((await redis.get(keys.instances)) ?? '').generation);

/** A connection on which the writer's last step is preceded by, or replaced with, something else. */
function meddled(before: (key: string) => Promise<unknown>): InventoryStore {
  const meddling = new Proxy(redis, {
    get: (target, property) =>
      property === 'evalsha'
        ? async (...args: Parameters<Redis['evalsha']>) => {
            await before(String(args[4]));
            return target.evalsha(...args);
          }
        : Reflect.get(target, property).bind(target),
  });
  return new InventoryStore(meddling, keys);
}

test('what is read is what was written, the servers on no host too', async () => {
  const many = Array.from({ length: 3_000 }, (_, i) => server(`vm${i}`, `hv${i % 700}`));
  const shelved = server('shelved', 'hv01', { host: null });
  const { hosts, servers } = inventory({ hypervisors, servers: [...many, shelved] });
  await store.write(hosts, servers);
  const { picture, servers: read } = await readWhole(store);
  expect(picture.hypervisors).toEqual(hosts.hypervisors);
  expect(new Map(read.map((s) => [s.id, s]))).toEqual(new Map(servers.servers.map((s) => [s.id, s])));
  expect([picture.instanceCount, picture.instancesOn(onNoHost)]).toEqual([3_001, 1]);
  expect(await redis.pttl(await current()), 'the current one stays').toBe(-1);
});

test('nothing was ever written', async () => {
  expect(await store.read()).toBeNull();
  expect(await store.serversCollectedAtMs()).toBeNull();
});

test('a cloud without servers: listed, and there are none', async () => {
  await write([]);
  const picture = await store.read(() => ({ ...noServers, hosts: ['hv01'] }));
  expect([picture?.serversOf('hv01'), picture?.instanceCount]).toEqual([[], 0]);
});

test('hosts alone leave the servers, their counts and their age', async () => {
  await write(['vm1', 'vm2'], 1_000);
  await store.write(cloud([], 2_000).hosts, null);
  expect(await names()).toEqual(['vm1', 'vm2']);
  const picture = await store.read();
  expect([picture?.collectedAtMs, picture?.serversCollectedAtMs, picture?.instancesOn('hv01')]).toEqual([
    2_000, 1_000, 2,
  ]);
  expect(await store.serversCollectedAtMs()).toBe(1_000);
});

test('a writer that dies before the end shows nothing, and leaves only what expires', async () => {
  await write(['before']);
  const dying = meddled(() => Promise.reject(new Error('killed')));
  const { hosts, servers } = cloud(['after'], 2);
  await expect(dying.write(hosts, servers)).rejects.toThrow('killed');
  expect(await names()).toEqual(['before']);
  expect((await store.read())?.collectedAtMs).toBe(1);
  const [left] = (await generations()).filter((key) => key.includes(':2-'));
  expect(await redis.pttl(left ?? '')).toBeGreaterThan(0);
});

test('a Redis that lost a part of what was written shows nothing of it', async () => {
  await write(['before']);
  const losing = meddled((key) => redis.hdel(key, 'hv01'));
  const { hosts, servers } = cloud(['after'], 2);
  await expect(losing.write(hosts, servers)).rejects.toThrow('lost a part');
  expect(await names()).toEqual(['before']);
});

test('the generation before stays for a while for whoever reads by older counts', async () => {
  await write(['before'], 1);
  const before = await current();
  await write(['after'], 2);
  expect(await names()).toEqual(['after']);
  expect(await redis.hget(before, 'hv01')).toContain('"before"');
  expect(await redis.pttl(before)).toBeGreaterThan(60_000);
  expect(await redis.pttl(await current())).toBe(-1);
});

test('servers that are gone are no empty host: whoever needs them is told', async () => {
  await write(['vm1']);
  await redis.del(await current());
  expect((await store.read())?.instancesOn('hv01')).toBe(1);
  await expect(store.read(() => ({ ...noServers, hosts: ['hv02'] }))).rejects.toThrow('is gone from Redis');
  await expect(store.readThrough(() => () => undefined)).rejects.toThrow('is gone from Redis');
});

test.each(['hosts', 'servers'])('what an earlier version kept is removed: %s written', async (what) => {
  await redis.set(keys.oldServers, '{"version":1,"servers":[]}');
  const { hosts, servers } = cloud(['vm1'], 1);
  await store.write(hosts, what === 'servers' ? servers : null);
  expect(await redis.exists(keys.oldServers)).toBe(0);
  expect((await store.read())?.serversCollectedAtMs).toBe(what === 'servers' ? 1 : null);
});

test('a document of another shape is told, not guessed at', async () => {
  await write(['vm1']);
  await redis.hset(await current(), 'hv01', '[{"id":1}]');
  await expect(names()).rejects.toThrow(/hv01 in .* is not what this version writes/);
  await redis.set(keys.instances, '{}');
  await expect(store.read()).rejects.toThrow(/inventory:instances in Redis is not what this version writes/);
});
