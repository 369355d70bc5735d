// Where the disks are on Ceph: is it so well, and known so well who has what open, that a dead host is to be recovered?
import type { Host, Instance } from '../../simulator/world/model.ts';
import { AddressBook } from '../../src/ns4/disks/address-book.ts';
import type { History } from './history.ts';
import { addressesIn, openedIn } from './processes/opened.ts';

/** As disks.ts has it: instances elsewhere must have answered in one of the last background rounds. */
const othersWithinMs = 900_000;

/** Nothing about its disks speaks against its recovery; true as well where they are elsewhere. */
export function disksAllow(history: History, host: Host): boolean {
  const { ceph, redis, timeline, world } = history;
  if (ceph === null) return true;
  if (!ceph.isWell) return false;
  const book = new AddressBook(addressesIn(redis), timeline.nowMs);
  const { own, shared } = book.presentOf(host.name);
  if (own.length === 0 || shared.length > 0) return false;
  // Whoever owns a lock, or is listed still, must be blocked when its host is cut off.
  const isBlocked = (address: string) => own.includes(address) || ceph.blocklist.isKnownToAll(address);
  const isCutOff = world.instancesOn(host.name).every((instance) => {
    const owner = ceph.watches.owner(instance);
    const listed = ceph.watches.listed(instance);
    return [...(owner === null ? [] : [owner]), ...listed].every(({ address }) => isBlocked(address));
  });
  const others = [...openedIn(redis)].filter(
    ([, { host: on, atMs }]) => on !== host.name && timeline.nowMs - atMs <= othersWithinMs,
  );
  const isAnswered = (id: string) => {
    const instance = world.find(id);
    return instance !== undefined && ceph.watches.answering(instance).length > 0;
  };
  return isCutOff && others.length > 0 && others.every(([id]) => isAnswered(id));
}

/** Was a disk of it answered for from there, so that its silence counts? */
export function disksSpoke({ ceph, redis, timeline }: History, host: Host, guest: Instance): boolean {
  if (ceph === null || guest.vmState !== 'active' || guest.taskState !== null) return false;
  const known = openedIn(redis).get(guest.id);
  return known?.host === host.name && known.atMs >= (guest.launchedAtMs ?? 0) && known.atMs <= timeline.nowMs;
}
