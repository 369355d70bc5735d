// Is an address blocked, by the entries of a blocklist? Pure.
import { BlockList, isIP } from 'node:net';
import type { BlocklistEntry } from '../storage/storage.ts';

/** One that is over so soon keeps nobody from waking up and writing. */
const leastMs = 3_600_000;
/** A whole address: port and nonce are zero. */
const wholeAddress = /^(?:\[([^\]]+)\]|([^:[\]]+)):0\/0$/;
const subnet = /^(?:\[([^\]]+)\]|([^:[\]]+)):0\/(\d+)$/;

/** The address that an entry blocks as a whole; null: it is a range, or one client. */
export function wholeAddressOf({ entry, range }: Pick<BlocklistEntry, 'entry' | 'range'>): string | null {
  const [, six, four] = (range ? null : wholeAddress.exec(entry)) ?? [];
  return six ?? four ?? null;
}

/** Tells of an address whether all of its clients are blocked for an hour at least. */
export function blockedBy(entries: readonly BlocklistEntry[], nowMs: number): (address: string) => boolean {
  return coveredBy(entries.filter(({ expiresAtMs }) => expiresAtMs - nowMs >= leastMs));
}

/**
 * The ranges that block any of these addresses, for however long, as `ceph osd blocklist range rm` takes them: Sonny sets
 * none.
 */
export function rangesOver(entries: readonly BlocklistEntry[], addresses: readonly string[]): string[] {
  const ranges = entries.filter((entry) => entry.range && addresses.some(coveredBy([entry])));
  return ranges.map(({ entry }) => {
    const [, six, four, bits] = subnet.exec(entry) ?? [];
    return `${six ?? four}/${bits}`;
  });
}

function coveredBy(entries: readonly BlocklistEntry[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { entry, range } of entries) {
    const [, six, four, bits] = (range ? subnet : wholeAddress).exec(entry) ?? [];
    const address = six ?? four;
    if (address === undefined || isIP(address) === 0) continue;
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else if (Number(bits) <= (isIP(address) === 6 ? 128 : 32))
      list.addSubnet(address, Number(bits), familyOf(address));
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
