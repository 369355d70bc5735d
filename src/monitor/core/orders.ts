// What operators order. Pure.
import { liftHold } from './safe-mode.ts';
import type { Order } from './state.ts';
import type { Turn } from './step-draft.ts';

/** Harmless to obey twice: an order is taken off only after what it changed is saved. */
export function obey(turn: Turn, { kind, by }: Order): void {
  switch (kind) {
    case 'reset-cooldown':
      if (turn.state.cooldown !== null) turn.say({ kind: 'cooldown-reset', by });
      turn.state.cooldown = null;
      return;
    case 'accept-empty-state':
      return liftHold(turn, by);
    case 'look-now':
      if (turn.state.phase.kind === 'watching') turn.watchUntil(turn.nowMs);
      return;
  }
}
