// Which ns4 of a cloud fence by which plan: the same fencing.yaml on all machines is one plan. Told by a hash, as a plan
// holds addresses of devices.
import { z } from 'zod';

export const fencingPlansSchema = z.array(
  z.object({
    /** Hash of the plan; see ns4/fencing/plan-hash.ts. */
    plan: z.string(),
    /** Vantage points (`[SCAN] name`) of those that have it, sorted. */
    of: z.array(z.string()),
  }),
);
/** Each plan once, sorted; none: nobody has one, or all are of older versions, which do not tell. */
export type FencingPlans = z.infer<typeof fencingPlansSchema>;

/** One ns4 and its plan. */
export interface PlanOfOne {
  readonly name: string;
  readonly plan: string;
}

export function fencingPlansOf(all: readonly PlanOfOne[]): FencingPlans {
  const plans = [...new Set(all.map(({ plan }) => plan))].sort();
  return plans.map((plan) => ({
    plan,
    of: [...new Set(all.filter((one) => one.plan === plan).map(({ name }) => name))].sort(),
  }));
}

/** "ctl1, ctl2: 3f9c…; ctl3: 07aa…". */
export const fencingPlansText = (plans: FencingPlans): string =>
  plans.map(({ plan, of }) => `${of.join(', ')}: ${plan}`).join('; ');
