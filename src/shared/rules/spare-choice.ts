// Which spares could stand in for one hypervisor, the one that would be taken first, and what is wrong with the others.
// The monitor gives each dead host one of them; `ns4 --check` asks it of each that lives. Pure.
import { type Hypervisor, isMarkedSpare, notSpares } from '../documents/inventory.ts';
import type { Picture } from '../picture/picture.ts';
import { spareShortcoming } from './spares.ts';

/** A candidate that does not fit; `why` as words that follow its name. */
export interface Unfit {
  readonly host: string;
  readonly why: string;
}

export interface SpareChoice {
  /** Service hosts, the one that wastes least first. */
  readonly fitting: readonly string[];
  readonly unfit: readonly Unfit[];
}

/** One whose reason merely contains the word is a candidate, too, that never fits: whoever wrote it may count on it. */
export const isSpareCandidate = (h: Hypervisor): boolean => isMarkedSpare(h) || notSpares([h]).length > 0;

/** `host`: who is dead, or is asked about; `taken`: hosts that recoveries fill. The servers must have been listed. */
export function sparesFor(
  host: string,
  candidates: readonly Hypervisor[],
  taken: ReadonlySet<string>,
  { picture, nowMs, heartbeatPeriodMs }: Surroundings,
): SpareChoice {
  const dead = picture.hypervisor(host);
  const shortcoming = (spare: Hypervisor): string | null => {
    if (dead === undefined) return 'has nobody to stand in for';
    if (taken.has(spare.host)) return 'is taken by another recovery';
    return spareShortcoming({ dead, spare, picture, nowMs, heartbeatPeriodMs });
  };
  const judged = candidates.map((spare) => ({ spare, why: shortcoming(spare) }));
  return {
    fitting: judged
      .filter(({ why }) => why === null)
      .map(({ spare }) => spare)
      .sort(snuggest)
      .map((spare) => spare.host),
    unfit: judged.flatMap(({ spare, why }) => (why === null ? [] : [{ host: spare.host, why }])),
  };
}

interface Surroundings {
  readonly picture: Picture;
  readonly nowMs: number;
  readonly heartbeatPeriodMs: number;
}

/** The spare that wastes least first: fewest aggregates, then smallest, then by name, so that the choice is stable. */
function snuggest(a: Hypervisor, b: Hypervisor): number {
  return a.aggregates.length - b.aggregates.length || a.vcpus - b.vcpus || a.host.localeCompare(b.host);
}
