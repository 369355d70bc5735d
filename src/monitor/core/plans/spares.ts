// A distinct spare for as many dead hypervisors as possible. Pure.
import type { Picture } from '../../../shared/picture/picture.ts';
import { isSpareCandidate, sparesFor, type Unfit } from '../../../shared/rules/spare-choice.ts';
import type { Rules } from '../state/rules.ts';

interface Assignment {
  readonly pairs: readonly { dead: string; spare: string }[];
  /** Dead hosts left without one, with what is wrong with each candidate. */
  readonly missing: readonly { readonly dead: string; readonly candidates: readonly Unfit[] }[];
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
  const candidates = picture.hypervisors.filter((h) => isSpareCandidate(h) && !dead.includes(h.host));
  const surroundings = { picture, nowMs, heartbeatPeriodMs: rules.heartbeatPeriodMs };
  const choices = new Map(dead.map((host) => [host, sparesFor(host, candidates, taken, surroundings)]));

  const holder = new Map<string, string>();
  const place = (host: string, tried: Set<string>): boolean => {
    for (const spare of choices.get(host)?.fitting ?? []) {
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
          ...(choices.get(host)?.unfit ?? []),
          ...(choices.get(host)?.fitting ?? []).map((spare) => ({
            host: spare,
            why: `stands in for ${holder.get(spare)}`,
          })),
        ],
      })),
  };
}
