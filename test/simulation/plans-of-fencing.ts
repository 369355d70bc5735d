// By which plans the workers of a history fence, and since when these differ.
import {
  type FencingPlans,
  fencingPlansOf,
  type PlanOfOne,
} from '../../src/shared/documents/terms/fencing-plans.ts';
import type { History } from './history.ts';
import type { Seat } from './setting.ts';

/** Of those that are registered and fence: one whose line to Redis is cut, who is gone, or stands still, is not. */
export function plansOfEach({ workers, setting }: History): PlanOfOne[] {
  return workers
    .filter(
      ({ process, redisLine, differs, fences }) =>
        fences &&
        process?.running === true &&
        !redisLine.cut &&
        (differs.fencing ?? setting.rules.fencing) !== 'none',
    )
    .map((seat) => ({ name: seat.name, plan: planOf(seat) }));
}

export const planOf = ({ aims }: Pick<Seat<unknown>, 'aims'>): string =>
  [...aims].map((aim) => aim.join('>')).join();

export const plansOf = (history: History): FencingPlans => fencingPlansOf(plansOfEach(history));

/** A worker came or went, or has another plan now. */
export function plansChanged(history: History): void {
  const { deeds } = history.judges;
  deeds.plansDifferSinceMs =
    plansOf(history).length < 2 ? null : (deeds.plansDifferSinceMs ?? history.timeline.nowMs);
}
