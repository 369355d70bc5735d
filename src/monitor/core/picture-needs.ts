// What a step has to see of the cloud: the driver reads that much of the inventory and no more. Pure.
import type { Finished } from '../../shared/documents/jobs/contracts.ts';
import type { Order } from '../../shared/documents/orders.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { ServersWanted } from '../../shared/picture/reading.ts';
import type { Rules } from './state/rules.ts';
import type { State } from './state/state.ts';
import { watches } from './watches/watches.ts';

/** Whose servers a step asks for, once the hosts are read. */
export type PictureNeed = (picture: Picture, nowMs: number, rules: Rules) => ServersWanted;

/**
 * For the step on the end of a job; null: it looks at no picture. One that nobody waits for, or of a recovery, does
 * not.
 */
export function needOfOutcome(state: State, finished: Finished): PictureNeed | null {
  const watch = watches.find(({ awaited }) => awaited(state).some(({ id }) => id === finished.id));
  return watch?.wants(state, finished) ?? null;
}

/** For the step on an order: only a recovery by hand looks, at the instances of its host. */
export function needOfOrder(order: Order): PictureNeed | null {
  if (order.kind !== 'recover') return null;
  return () => ({ hosts: [order.host], sample: [], enough: () => true });
}
