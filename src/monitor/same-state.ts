// Two states compared: did a step change anything worth saving, and which of two copies was saved later. Pure.
import type { State } from './core/state/state.ts';

/** By what would be saved. Parts of a state that did not move are the very same objects, or hold the very same ones. */
export const isSame = (a: State, b: State): boolean =>
  (Object.keys(a) as (keyof State)[]).every(
    (part) => holdSame(a[part], b[part]) || JSON.stringify(a[part]) === JSON.stringify(b[part]),
  );

function holdSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [ours, theirs] = [Object.entries(a), new Map(Object.entries(b))];
  return ours.length === theirs.size && ours.every(([key, value]) => value === theirs.get(key));
}

/** Of two copies of one cloud's state, the one saved later. */
export const isLater = (a: State, b: State): boolean =>
  a.epoch === b.epoch ? a.revision > b.revision : a.epoch > b.epoch;
