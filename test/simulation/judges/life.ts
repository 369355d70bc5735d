// The signs of life that a host truly gives, besides its own address, its agents and its guests: each could have been
// read by ns4 or by the monitor.
import type { Address, Host, Instance } from '../../../simulator/world/model.ts';
import { hostAnswers } from '../../../simulator/world/physics.ts';

/** A sense that would tell. */
interface SignOfLife {
  /** The demand that it not be passed over. */
  readonly demand: string;
  /** Since when it could have been read. */
  readonly sinceMs: number;
  /** What could have been read, after the host's name. */
  readonly words: string;
}

/** Names of the networks that are reached from outside: a cloud has the first, and perhaps the second. */
export const outsideNetworks = ['ext-net', 'ext-net-2'] as const;

/** The networks that it is to be reached on; a floating address is on the first one. */
export const outsideNetworksOf = ({ addresses }: Instance): ReadonlySet<string> =>
  new Set(addresses.map(outsideNetworkOf).filter((name) => name !== null));

export const outsideNetworkOf = ({ type, network }: Address): string | null =>
  type === 'floating' ? outsideNetworks[0] : (outsideNetworks.find((name) => name === network) ?? null);

/** Has it an address that vantage points are to reach? */
export const isExternal = (instance: Instance): boolean => outsideNetworksOf(instance).size > 0;

/** Did it ever answer, and should now? One that Nova takes for broken, or that lets nobody in, says nothing by silence. */
export const isWitness = (instance: Instance): boolean =>
  instance.vmState === 'active' && instance.taskState === null && !instance.mute && isExternal(instance);

/** What of this host Nova shows, or its kernel sends. A report is no sign any more once it was forced down. */
export function signsOfLife(host: Host): readonly SignOfLife[] {
  const signs: SignOfLife[] = [];
  const { sinceMs } = host.compute;
  if (sinceMs !== null && !host.forcedDown)
    signs.push({
      ...{ demand: 'no host whose nova-compute reports is touched', sinceMs },
      words: 'whose nova-compute reports',
    });
  if (host.firewall === 'prohibits' && host.sendsSinceMs !== null)
    signs.push({
      ...{ demand: 'no host that sends an error of its own is touched', sinceMs: host.sendsSinceMs },
      words: 'whose firewall says no',
    });
  return signs;
}

/** When it loses its power, does anybody notice at once? */
export const wouldBeMissed = (host: Host): boolean => host.address !== null && hostAnswers(host);
