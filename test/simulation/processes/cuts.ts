// Whom Sonny cut off from Ceph, as ns4 keeps it in Redis: the real store's questions on the pretend Redis.
import type { Cut, CutOffStore } from '../../../src/ns4/disks/cut-off-store.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { RedisLink } from './redis-link.ts';

const cutsKey = 'cut-off';

/** Every host, with what is known of it. */
const cutsIn = (redis: PretendRedis): ReadonlyMap<string, Cut> =>
  redis.get<ReadonlyMap<string, Cut>>(cutsKey) ?? new Map();

export class PretendCuts implements Pick<CutOffStore, 'all' | 'of' | 'note' | 'noteSeenOff' | 'forget'> {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  all(): Promise<ReadonlyMap<string, Cut>> {
    return this.#link.call(() => cutsIn(this.#link.redis));
  }

  async of(host: string): Promise<Cut | null> {
    return (await this.all()).get(host) ?? null;
  }

  note(host: string, cut: Cut): Promise<void> {
    return this.#change((cuts) => {
      const before = cuts.get(host)?.addresses ?? [];
      cuts.set(host, { ...cut, addresses: [...new Set([...before, ...cut.addresses])] });
    });
  }

  noteSeenOff(host: string, seenOff: NonNullable<Cut['seenOff']>): Promise<void> {
    return this.#change((cuts) => {
      const cut = cuts.get(host);
      if (cut !== undefined) cuts.set(host, { ...cut, seenOff });
    });
  }

  forget(host: string): Promise<void> {
    return this.#change((cuts) => cuts.delete(host));
  }

  #change(make: (cuts: Map<string, Cut>) => void): Promise<void> {
    const { redis } = this.#link;
    return this.#link.call(() => {
      const cuts = new Map(cutsIn(redis));
      make(cuts);
      redis.set(cutsKey, cuts);
    });
  }
}
