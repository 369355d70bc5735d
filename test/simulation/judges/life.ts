// The signs of life that a host truly gives, besides its own address, its agents and its guests: each could have been
// read by ns4 or by the monitor.
import type { Host, Instance } from '../../../simulator/world/model.ts';
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

/** Has it an address that vantage points are to reach? */
export const isExternal = ({ addresses }: Instance): boolean =>
  addresses.some((a) => a.type === 'floating' || a.network === 'ext-net');

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
