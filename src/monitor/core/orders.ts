// What operators order, and what the monitor does about it. Pure.
import type { Order } from '../../shared/documents/orders.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { leaveSafeMode } from './incidents/safe-mode.ts';
import { recoverByHand } from './recoveries/by-hand.ts';
import type { Draft } from './state/draft.ts';
import { rest } from './watches/hosts/round.ts';
import { clearByWord } from './watches/returns/watch.ts';
import { watches } from './watches/watches.ts';

/** Harmless to obey twice: an order is taken off only after what it changed is saved. */
export function obey(draft: Draft, order: Order, picture: Picture | null): void {
  switch (order.kind) {
    case 'reset-cooldown':
      if (draft.state.cooldown !== null) draft.say({ kind: 'cooldown-reset', by: order.by });
      draft.state.cooldown = null;
      return;
    case 'accept-empty-state':
      return leaveSafeMode(draft, order.by);
    case 'confirm-fenced': {
      // It acts on the incident: a recovery under way is looked at again as soon as it ends, anything else at once.
      draft.say({ kind: 'fence-confirmed', host: order.host, by: order.by });
      const incident = draft.incident(order.host);
      if (incident === undefined) return;
      draft.put({ ...incident, lookAgain: true });
      if (draft.hostsPhase.kind === 'watching') rest(draft, draft.hostsPhase.nextCheckMs);
      return;
    }
    case 'copies-gone':
      clearByWord(draft, order.host, order.by);
      return;
    case 'recover':
      if (recoverByHand(draft, order, picture)) for (const watch of watches) watch.beginAnew(draft);
      return;
  }
}
