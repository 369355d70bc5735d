// By which plans the workers of a history fence, and since when these differ.
import { type FencingPlans, fencingPlansOf } from '../../src/shared/documents/terms/fencing-plans.ts';
import type { History } from './history.ts';

/** Of those that are registered: one whose line to Redis is cut, or who is gone, is not. */
export function plansOf({ workers, setting }: History): FencingPlans {
  const registered = workers.filter(
    ({ process, redisLine, differs }) =>
      process?.running === true && !redisLine.cut && (differs.fencing ?? setting.rules.fencing) !== 'none',
  );
  return fencingPlansOf(
    registered.map(({ name, aims }) => ({ name, plan: [...aims].map((aim) => aim.join('>')).join() })),
  );
}

/** A worker came or went, or has another plan now. */
export function plansChanged(history: History): void {
  const { deeds } = history.judges;
  deeds.plansDifferSinceMs =
    plansOf(history).length < 2 ? null : (deeds.plansDifferSinceMs ?? history.timeline.nowMs);
}
