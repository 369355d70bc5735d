// From which addresses hypervisors open their disks, as it was seen while all was well: who an opener is, and what is
// to be blocked when a host is cut off. Pure.
import { groupBy } from '../../shared/ground/group-by.ts';

/** One address of one host, with its first and last sight (ms since the epoch). */
export interface SeenAddress {
  readonly host: string;
  readonly address: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** One that was not seen for so long is forgotten: it may be somebody else's by now. */
export const forgottenAfterMs = 7 * 86_400_000;
/** Of a host's addresses those count as its present ones that were seen so shortly before its newest sight. */
const presentWithinMs = 3_600_000;

/** Whose an opener is, from the point of view of one host. */
export type OpenerIs =
  | 'its-own'
  /** Known for other hosts and not for this one. */
  | 'elsewhere'
  /** Of an address that nobody, or several hosts, were seen with, or of none that could be told. */
  | 'unknown';

export class AddressBook {
  readonly #byAddress: ReadonlyMap<string, readonly SeenAddress[]>;
  readonly #byHost: ReadonlyMap<string, readonly SeenAddress[]>;

  constructor(seen: readonly SeenAddress[], nowMs: number) {
    const known = seen.filter(({ lastMs }) => nowMs - lastMs <= forgottenAfterMs);
    this.#byAddress = groupBy(known, ({ address }) => address);
    this.#byHost = groupBy(known, ({ host }) => host);
  }

  /** Everything known of a host, newest sight first. */
  of(host: string): readonly SeenAddress[] {
    return [...(this.#byHost.get(host) ?? [])].sort((a, b) => b.lastMs - a.lastMs);
  }

  /** Hosts that were seen with this address. */
  hostsAt(address: string): readonly string[] {
    return (this.#byAddress.get(address) ?? []).map(({ host }) => host);
  }

  whose(address: string | null, host: string): OpenerIs {
    const hosts = address === null ? [] : this.hostsAt(address);
    if (hosts.includes(host)) return hosts.length === 1 ? 'its-own' : 'unknown';
    return hosts.length === 0 ? 'unknown' : 'elsewhere';
  }

  /** The addresses that a host has now, and which of them others have as well: those cut off nobody. */
  presentOf(host: string): { readonly own: string[]; readonly shared: string[] } {
    const all = this.of(host);
    const newestMs = all[0]?.lastMs ?? 0;
    const present = all.filter(({ lastMs }) => newestMs - lastMs <= presentWithinMs);
    const isShared = ({ address }: SeenAddress) => this.hostsAt(address).length > 1;
    return {
      own: present.filter((one) => !isShared(one)).map(({ address }) => address),
      shared: present.filter(isShared).map(({ address }) => address),
    };
  }
}
