// For `--check`: which hypervisors this vantage point hears, and whose silence would therefore say nothing.
import type { Hypervisor } from '../../shared/documents/inventory.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { heardWithinMs } from '../../shared/rules/senses/baseline.ts';
import type { HeardStore } from './heard.ts';

/** More names are counted only. */
const mostNamed = 10;

/** "4 of 5 hypervisors were heard from here within a day; WARNING: …". Rejects as every command of a Db does. */
export async function describeBaseline(
  heard: Pick<HeardStore, 'lastHeard'>,
  hypervisors: readonly Pick<Hypervisor, 'host' | 'address'>[],
  nowMs: number,
): Promise<string> {
  const addresses = hypervisors.flatMap(({ address }) => address ?? []);
  const last = await heard.lastHeard(addresses);
  const isHeard = (address: string | null) =>
    address !== null && (last.get(address)?.atMs ?? Number.NEGATIVE_INFINITY) >= nowMs - heardWithinMs;
  const silent = hypervisors.filter(({ address }) => !isHeard(address));
  const counts = `${hypervisors.length - silent.length} of ${hypervisors.length} hypervisors were heard from here within a day`;
  if (silent.length === 0) return counts;
  if (last.size === 0) return `${counts}: a running ns4 of this name asks them within seconds`;
  const names = silent.map(({ host, address }) => `${host} (${address ?? 'without an address'})`);
  return `${counts}; WARNING: never judged by their silence: ${shortened(names, mostNamed)}`;
}
