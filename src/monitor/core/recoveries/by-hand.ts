// An operator's order to recover a host, whatever the watch thinks of it: the gates are asked all the same, apart from
// those he waives by name, and ns4 asks every sign of life again. It is always answered. Pure.
import type { Order } from '../../../shared/documents/orders.ts';
import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import { recoveryId } from '../../../shared/documents/terms/incident-id.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { openIncident } from '../incidents/incidents.ts';
import type { Draft } from '../state/draft.ts';
import { freshMs } from '../state/rules.ts';
import type { Incident } from '../state/state.ts';
import { beginRecovery, leftAlone, plansFor, refusalByGates, startWithinMs } from './begin.ts';
import { recoveriesCooling } from './cooldown.ts';

/** The cooldown is this incident's own: what is left of it may be gone on with. */
function isOwnCooldown(draft: Draft, known: Incident | undefined): boolean {
  const cooling = recoveriesCooling(draft);
  if (known === undefined || cooling.length === 0) return false;
  const own = recoveryNames(known);
  return cooling.every((id) => own.includes(id));
}

/** The names of an incident's recoveries so far. */
const recoveryNames = ({ id, recoveries }: Incident): string[] =>
  Array.from({ length: recoveries }, (_, i) => recoveryId(id, i + 1));

/** True when a recovery begins: whoever watches must not go on judging the host. */
export function recoverByHand(
  draft: Draft,
  order: Order & { kind: 'recover' },
  picture: Picture | null,
): boolean {
  const { host, target, despite, by, id, atMs } = order;
  const refuse = (refusal: Refusal) => {
    draft.say({ kind: 'order-refused', order: id, host, by, refusal });
    return false;
  };
  const known = draft.incident(host);
  if (known?.recovery) {
    const { recovery } = known;
    draft.say({
      kind: 'recovery-requested',
      incident: known.id,
      recovery: recovery.id,
      host,
      targets: recovery.plan.moves.map((move) => move.target),
      order: id,
    });
    return false;
  }
  // Whoever gave it knew how the host was then. It may lie in Redis for days while no monitor runs, and the host be
  // back in service since. A clock that differs by more than that cannot tell.
  const orderAgeMs = Math.abs(draft.nowMs - atMs);
  if (orderAgeMs > startWithinMs) return refuse({ name: 'too-late', host, ageMs: orderAgeMs });
  if (picture === null)
    return refuse({ name: 'inventory-unavailable', detail: 'Redis holds none that can be read' });
  const ageMs = Math.abs(draft.nowMs - picture.collectedAtMs);
  if (ageMs > 3 * freshMs) return refuse({ name: 'inventory-stale', ageMs, limitMs: 3 * freshMs });
  if (picture.hypervisor(host) === undefined) return refuse({ name: 'unknown-host', host });
  const waived = [...despite, ...(isOwnCooldown(draft, known) ? ['cooldown'] : [])];
  const held = leftAlone(draft, host, picture, despite) ?? refusalByGates(draft, [host], [], picture, waived);
  if (held !== null) return refuse(held);
  const [planned] = plansFor(draft, [host], picture, target);
  if (planned === undefined) throw new Error(`the method made no plan for ${host}`);
  if ('name' in planned.outcome) return refuse(planned.outcome);
  const incident = openIncident(draft, host, 'dead');
  const found = { evidence: [`ordered by hand by ${by}`], neverHeard: false };
  beginRecovery(draft, incident, planned.outcome, found, [host], picture, { order: id, target, despite });
  return true;
}
