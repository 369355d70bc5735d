// What an address answered last to each vantage point that is alive.
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { HeardAddress } from '../../shared/rules/senses/baseline.ts';
import type { VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import { HeardStore } from './heard.ts';

/** Address to its last answers, one of each vantage point that heard it; who never answered is not in it. */
export type HeardByAny = (
  addresses: readonly string[],
) => Promise<ReadonlyMap<string, readonly HeardAddress[]>>;

export const heardByAny =
  (redis: Db, keys: Keys, registry: Pick<VantagePointRegistry, 'list'>): HeardByAny =>
  async (addresses) => {
    const { names } = await registry.list();
    const answers = new Map<string, HeardAddress[]>();
    for (const name of names)
      for (const [address, answer] of await new HeardStore(redis, keys, name).lastHeard(addresses))
        answers.set(address, [...(answers.get(address) ?? []), answer]);
    return answers;
  };
