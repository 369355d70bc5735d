// By which plans the ns4 of a cloud fence: those of the registered ones, and this process' own.
import {
  type FencingPlans,
  fencingPlansOf,
  type PlanOfOne,
} from '../../shared/documents/terms/fencing-plans.ts';
import type { VantagePointRegistry } from '../../shared/vantage-points/registry.ts';

/** `own`: a command is registered nowhere, but fences all the same; null: this process fences nobody. */
export const plansOfAll =
  (registry: Pick<VantagePointRegistry, 'list'>, own: PlanOfOne | null) =>
  async (): Promise<FencingPlans> => {
    const { plans } = await registry.list();
    return fencingPlansOf(own === null ? plans : [...plans, own]);
  };
