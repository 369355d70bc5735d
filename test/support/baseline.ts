// The baseline of the real processes: whoever is to be judged dead must have been heard before, so a test waits for that
// before it kills somebody, or pretends that it was so.
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { vantagePointOf } from '../../src/shared/config/load.ts';
import { externalAddresses } from '../../src/shared/documents/inventory.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { VantagePointRegistry } from '../../src/shared/vantage-points/registry.ts';

/**
 * Resolves when every vantage point that is alive has heard every hypervisor that is up, and every instance that runs
 * with an external address.
 */
export async function heardAll(redis: Redis, cloud: string, limitMs = 30_000): Promise<void> {
  const untilMs = Date.now() + limitMs;
  for (;;) {
    const missing = await notHeard(redis, cloud);
    if (missing.length === 0) return;
    if (Date.now() > untilMs) throw new Error(`no baseline within ${limitMs} ms: ${missing.join(', ')}`);
    await delay(50);
  }
}

async function notHeard(redis: Redis, cloud: string): Promise<string[]> {
  const keys = keysOf(cloud);
  const { names } = await new VantagePointRegistry(redis, keys).list();
  const wanted = new Map<string, string>();
  const picture = await new InventoryStore(redis, keys).readThrough(() => (servers) => {
    for (const server of servers)
      if (server.powerState === 1 && server.status === 'ACTIVE')
        for (const { address } of externalAddresses(server)) wanted.set(address, server.name);
  });
  if (picture === null || picture.serversCollectedAtMs === null) return ['the inventory'];
  if (names.length === 0) return ['a vantage point'];
  for (const { host, state, address } of picture.hypervisors)
    if (state === 'up' && address !== null) wanted.set(address, host);
  if (wanted.size === 0) return [];
  const addresses = [...wanted.keys()];
  const missing = names.map(async (name) => {
    const times = await redis.hmget(keys.heard(name), ...addresses);
    return addresses
      .filter((_, i) => times[i] === null)
      .map((address) => `${wanted.get(address)} (${address}) by ${name}`);
  });
  return (await Promise.all(missing)).flat();
}

/** As if the vantage points had heard these addresses before they were started: the cloud was watched since long. */
export async function pretendHeard(
  redis: Redis,
  cloud: string,
  addresses: readonly string[],
  vantagePoints: readonly string[] = [vantagePointOf(hostname())],
): Promise<void> {
  if (addresses.length === 0) return;
  const fields = addresses.flatMap((address) => [address, Date.now()]);
  for (const name of vantagePoints) await redis.hset(keysOf(cloud).heard(name), ...fields);
}
