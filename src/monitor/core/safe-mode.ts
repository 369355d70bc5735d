// Redis lost what was known of a cloud: when was the last recovery, and what was done in it? Until an operator accepts
// that nobody knows, nothing new is recovered. Recoveries under way go on: what was begun must be ended. Pure.
import { bearsMarkOfRecovery, wasHandled } from '../../shared/documents/inventory.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { Turn } from './step-draft.ts';

/** Begins to hold, and says so; nothing happens while it holds already. */
export function hold(turn: Turn, why: string): void {
  turn.state.unproven = false;
  if (turn.state.hold !== null) return;
  turn.state.hold = { sinceMs: turn.nowMs, why };
  turn.say({ kind: 'refused', refusal: { name: 'state-lost', hosts: [], why } });
}

/** An operator accepts it: from now on as after a first start. */
export function liftHold(turn: Turn, by: string): void {
  if (turn.state.hold !== null) turn.say({ kind: 'hold-lifted', by });
  turn.state.hold = null;
  turn.state.unproven = false;
}

/**
 * After a start on an empty Redis, with the first inventory: hosts that carry the mark of a recovery tell that this is no
 * first start, so a cooldown may have been lost.
 */
export function judgeBeginning(turn: Turn, { hypervisors }: Picture): void {
  if (!turn.state.unproven) return;
  turn.state.unproven = false;
  const marked = hypervisors.find((h) => wasHandled(h) || bearsMarkOfRecovery(h));
  if (marked !== undefined)
    hold(turn, `Redis is empty, yet ${marked.host} was recovered before ("${marked.disabledReason}")`);
}
