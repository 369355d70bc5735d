// What a method is asked: dead hosts, planned together, and what they may be moved to. Pure.

import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import type { Plan } from '../../../shared/documents/terms/plan.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { Policy } from '../../../shared/rules/policy.ts';

export interface PlanRequest {
  /** Dead hosts, planned together: they must not take each other's targets. */
  readonly dead: readonly string[];
  readonly picture: Picture;
  /** Hosts that other recoveries fill. */
  readonly taken: ReadonlySet<string>;
  readonly nowMs: number;
  readonly policy: Policy;
  /** An operator's choice of the target; null: the method chooses. */
  readonly target: string | null;
}

/** For each dead host a plan or a refusal. */
export type Method = (request: PlanRequest) => readonly {
  readonly host: string;
  readonly outcome: Plan | Refusal;
}[];
