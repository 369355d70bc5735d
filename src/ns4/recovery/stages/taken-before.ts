// The last look at the compute service of the dead host before it is powered off, and before the first change: the facts
// that the gates judged are seconds old, and an operator or another Sonny may have come since.

import { operatorsReason } from '../../../shared/documents/inventory.ts';
import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import type { ComputeService } from '../../cloud/cloud.ts';
import { foreignMark } from '../mark.ts';
import type { Recovery } from '../recovery.ts';

/** Whose work the host is, as its compute service says now; null: nobody's. */
export function takenBefore({ order, tools }: Recovery, service: ComputeService): Refusal | null {
  const host = service.host;
  const isWaived = (gate: Refusal['name']) => order.despite.includes(gate);
  const foreign = isWaived('foreign-mark') ? null : foreignMark(service, order);
  if (foreign !== null) return foreign;
  const reason = operatorsReason(service);
  const isLeft = tools.policy.disabledHosts === 'leave' && !isWaived('operator-at-work');
  return reason !== null && isLeft ? { name: 'operator-at-work', host, reason, meanwhile: false } : null;
}
