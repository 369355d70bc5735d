// What disks answered while all was well, as ns4 keeps it in Redis: the real store's questions on the pretend Redis, and
// a sketch of the background round that fills it (ns4/baseline/background-asking.ts), here in a moment.
import type { PretendCeph } from '../../../simulator/ceph/ceph.ts';
import { pool } from '../../../simulator/ceph/ceph.ts';
import { AddressBook, type SeenAddress } from '../../../src/ns4/disks/address-book.ts';
import { openHere } from '../../../src/ns4/disks/judge.ts';
import type { Answered, OpenedStore } from '../../../src/ns4/disks/opened-store.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { RedisLink } from './redis-link.ts';

const openedKey = 'opened';
const addressesKey = 'storage-addresses';

/** By instance: when and where its disks answered last. */
export const openedIn = (redis: PretendRedis): ReadonlyMap<string, Answered> =>
  redis.get<ReadonlyMap<string, Answered>>(openedKey) ?? new Map();

/** Every address of every host that was seen. */
export const addressesIn = (redis: PretendRedis): readonly SeenAddress[] =>
  redis.get<readonly SeenAddress[]>(addressesKey) ?? [];

export class PretendOpened implements Pick<OpenedStore, 'of' | 'elsewhere' | 'addresses' | 'note'> {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  note(answered: ReadonlyMap<string, Answered>): Promise<void> {
    const { redis } = this.#link;
    return this.#link.call(() => redis.set(openedKey, new Map([...openedIn(redis), ...answered])));
  }

  of(ids: readonly string[]): Promise<ReadonlyMap<string, Answered>> {
    return this.#link.call(() => {
      const known = openedIn(this.#link.redis);
      return new Map(
        ids.flatMap((id) => {
          const answered = known.get(id);
          return answered === undefined ? [] : [[id, answered] as const];
        }),
      );
    });
  }

  elsewhere(hosts: ReadonlySet<string>, sinceMs: number, most: number): Promise<Answered[]> {
    return this.#link.call(() =>
      [...openedIn(this.#link.redis).values()]
        .filter(({ host, atMs }) => atMs >= sinceMs && !hosts.has(host))
        .slice(0, most),
    );
  }

  addresses(): Promise<SeenAddress[]> {
    return this.#link.call(() => [...addressesIn(this.#link.redis)]);
  }
}

/**
 * One pass over all running instances, by a worker with this clock: whoever answers is noted, and the addresses of hosts
 * that are well are learned, but not from those that Nova launched a moment ago.
 */
export function askEverybody(ceph: PretendCeph, redis: PretendRedis, nowMs: number): void {
  const { world } = ceph;
  const seen = new Map(addressesIn(redis).map((one) => [`${one.address} ${one.host}`, one]));
  const book = new AddressBook([...seen.values()], nowMs);
  const answered = new Map(openedIn(redis));
  for (const instance of world.instances) {
    const { id, host: name, vmState, taskState } = instance;
    if (name === null || vmState !== 'active' || taskState !== null || !ceph.isServed(instance)) continue;
    const host = world.host(name);
    const listed = ceph.watches.listed(instance);
    const answering = ceph.watches.answering(instance);
    const openers = listed.map((watch) => ({ address: watch.address, answered: answering.includes(watch) }));
    if (openHere({ disks: [openers], trouble: null }, name, book).length > 0)
      answered.set(id, { host: name, atMs: nowMs, images: [`${pool}/${id}_disk`] });
    const isWell = host.compute.sinceMs !== null && !host.forcedDown;
    const [address, ...more] = new Set(openers.map((opener) => opener.address));
    const isAlone = address !== undefined && more.length === 0 && answering.length === listed.length;
    if (!isWell || !isAlone || !isSettled(ceph, instance)) continue;
    const key = `${address} ${name}`;
    seen.set(key, { host: name, address, firstMs: seen.get(key)?.firstMs ?? nowMs, lastMs: nowMs });
  }
  redis.set(openedKey, answered);
  redis.set(addressesKey, [...seen.values()]);
}

const settledMs = 120_000;

/** What is open from a second address was opened just now. */
const isSettled = (ceph: PretendCeph, instance: PretendCeph['world']['instances'][number]): boolean =>
  !ceph.strays.has(instance) && ceph.world.cloudNowMs - (instance.launchedAtMs ?? 0) >= settledMs;
