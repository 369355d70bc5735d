// When an address was heard last by any vantage point that is alive.
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import { HeardStore } from './heard.ts';

/** Address to the time of its last answer (ms); who never answered is not in it. */
export type HeardByAny = (addresses: readonly string[]) => Promise<ReadonlyMap<string, number>>;

export const heardByAny =
  (redis: Db, keys: Keys, registry: Pick<VantagePointRegistry, 'list'>): HeardByAny =>
  async (addresses) => {
    const { names } = await registry.list();
    const newest = new Map<string, number>();
    for (const name of names)
      for (const [address, atMs] of await new HeardStore(redis, keys, name).lastHeard(addresses))
        newest.set(address, Math.max(newest.get(address) ?? atMs, atMs));
    return newest;
  };
