// A distinct spare for as many dead hypervisors as possible. Pure.
import { type Hypervisor, isMarkedSpare, notSpares } from '../../../shared/documents/inventory.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { spareShortcoming } from '../../../shared/rules/spares.ts';
import type { Rules } from '../state/rules.ts';

interface Assignment {
  readonly pairs: readonly { dead: string; spare: string }[];
  /** Dead hosts left without one, with what is wrong with each candidate. */
  readonly missing: readonly { dead: string; candidates: readonly { host: string; why: string }[] }[];
}

/**
 * Assigns spares so that the greatest possible number of dead hosts gets one (augmenting paths, as the first fitting
 * spare of one host may be the only one of another). A host that has none does not keep the others from theirs.
 */
export function assignSpares(
  dead: readonly string[],
  picture: Picture,
  taken: ReadonlySet<string>,
  nowMs: number,
  rules: Pick<Rules, 'heartbeatPeriodMs'>,
): Assignment {
  if (picture.serversCollectedAtMs === null)
    return { pairs: [], missing: dead.map((host) => ({ dead: host, candidates: [] })) };
  // One whose reason merely contains the word is told among the candidates: whoever wrote it may count on it.
  const isCandidate = (h: Hypervisor) => isMarkedSpare(h) || notSpares([h]).length > 0;
  const marked = picture.hypervisors.filter((h) => isCandidate(h) && !dead.includes(h.host));
  const fitting = new Map<string, string[]>();
  const reasons = new Map<string, { host: string; why: string }[]>();
  for (const host of dead) {
    const hypervisor = picture.hypervisor(host);
    const judged = marked.map((spare) => ({ spare, why: shortcoming(spare, hypervisor) }));
    reasons.set(
      host,
      judged.flatMap(({ spare, why }) => (why === null ? [] : [{ host: spare.host, why }])),
    );
    fitting.set(
      host,
      judged
        .filter(({ why }) => why === null)
        .map(({ spare }) => spare)
        .sort(snuggest)
        .map((spare) => spare.host),
    );
  }

  function shortcoming(spare: Hypervisor, hypervisor: Hypervisor | undefined): string | null {
    if (hypervisor === undefined) return 'has nobody to stand in for';
    if (taken.has(spare.host)) return 'is taken by another recovery';
    return spareShortcoming({ dead: hypervisor, spare, picture, nowMs, ...rules });
  }

  const holder = new Map<string, string>();
  const place = (host: string, tried: Set<string>): boolean => {
    for (const spare of fitting.get(host) ?? []) {
      if (tried.has(spare)) continue;
      tried.add(spare);
      const rival = holder.get(spare);
      if (rival === undefined || place(rival, tried)) {
        holder.set(spare, host);
        return true;
      }
    }
    return false;
  };
  const placed = dead.filter((host) => place(host, new Set()));
  const spareOf = new Map([...holder].map(([spare, host]) => [host, spare]));
  return {
    pairs: placed.map((host) => ({ dead: host, spare: spareOf.get(host) as string })),
    missing: dead
      .filter((host) => !spareOf.has(host))
      .map((host) => ({
        dead: host,
        candidates: [
          ...(reasons.get(host) ?? []),
          ...(fitting.get(host) ?? []).map((spare) => ({
            host: spare,
            why: `stands in for ${holder.get(spare)}`,
          })),
        ],
      })),
  };
}

/** The spare that wastes least first: fewest aggregates, then smallest, then by name, so that the choice is stable. */
function snuggest(a: Hypervisor, b: Hypervisor): number {
  return a.aggregates.length - b.aggregates.length || a.vcpus - b.vcpus || a.host.localeCompare(b.host);
}
