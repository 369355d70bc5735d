// What stands of a cloud, by what it is about: the judges' own view of the monitor's state.
import type { HostsPhase, State } from '../../../src/monitor/core/state/state.ts';
import { type Refusal, refusalCondition } from '../../../src/shared/documents/refusals/refusals.ts';
import { targetHosts } from '../../../src/shared/documents/terms/plan.ts';
import { type Scope, scopeKey } from '../../../src/shared/documents/terms/scope.ts';

/** A suspicion or a refusal that stands. */
export interface Standing {
  /** Refusal's name, or that of a suspicion. */
  readonly name: string;
  readonly signature: string;
  readonly refusal: Refusal | null;
  /** When the first of an unbroken row of matters about it began. */
  readonly firstMs: number;
}

/** Of a host one matter at a time stands; of the cloud and its parts one for each condition. */
export const placeOf = (scope: Scope, refusal: Refusal): string =>
  scope.kind === 'host' ? scopeKey(scope) : `${scopeKey(scope)} ${refusalCondition(refusal)}`;

/** By place; hosts under their `scopeKey`. */
export function standingOf({ incidents, raised }: State): ReadonlyMap<string, Standing> {
  const all = new Map<string, Standing>();
  for (const { subject, stage, raised: own, recovery, suspectedAtMs } of incidents) {
    const isSuspicion = recovery === null && stage !== 'away';
    if (own === null && !isSuspicion) continue;
    const name = own?.refusal.name ?? (stage === 'suspect' ? 'suspect' : 'silent');
    const { refusal, signature } = own ?? { refusal: null, signature: '' };
    all.set(scopeKey(subject), { name, signature, refusal, firstMs: suspectedAtMs });
  }
  for (const { scope, refusal, signature, sinceMs } of raised)
    all.set(placeOf(scope, refusal), { name: refusal.name, signature, refusal, firstMs: sinceMs });
  return all;
}

/** Does anything stand about the cloud as a whole? */
export const isCloudRefused = (standing: ReadonlyMap<string, Standing>): boolean =>
  [...standing.keys()].some((place) => place.startsWith('cloud '));

/** A recovery under way, by the names of its hosts. */
export interface Underway {
  readonly id: string;
  readonly dead: string;
  readonly spare: string;
  /** An operator ordered it, so that no verdict stands behind it. */
  readonly byHand: boolean;
}

export const underwayIn = ({ incidents }: State): Underway[] =>
  incidents.flatMap(({ subject, recovery }) =>
    recovery === null
      ? []
      : [
          {
            id: recovery.id,
            dead: subject.name,
            spare: targetHosts(recovery.plan).join(),
            byHand: recovery.order !== null,
          },
        ],
  );

export const phaseOf = (state: State): HostsPhase => state.watches.hosts;
