// One plan of fencing for all ns4 of a cloud: with two of them one names another device for some host, and whoever takes
// the job powers off the wrong machine and calls it proof. Pure.
import type { Refusal } from '../documents/refusals/refusals.ts';
import type { FencingPlans } from '../documents/terms/fencing-plans.ts';
import type { Policy } from './policy.ts';

/** `hosts`: those that are not recovered for it; none: said of the cloud. Null: there is one plan, or nobody fences. */
export function differingPlans(
  hosts: readonly string[],
  plans: FencingPlans,
  { fencing }: Pick<Policy, 'fencing'>,
): Refusal | null {
  if (fencing === 'none' || plans.length < 2) return null;
  return { name: 'fencing-plans-differ', hosts: [...hosts], plans };
}
