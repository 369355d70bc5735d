// Method `reserved_host`, the original's: all instances of a dead hypervisor go to one spare that was set aside. Pure.

import type { Refusal } from '../../../shared/documents/refusals/refusals.ts';
import type { Plan } from '../../../shared/documents/terms/plan.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { isGoneOnWith, spareShortcoming, targetShortcoming } from '../../../shared/rules/spares.ts';
import type { PlanRequest } from './plan-request.ts';
import { assignSpares } from './spares.ts';

export function reservedHost(request: PlanRequest): { host: string; outcome: Plan | Refusal }[] {
  const { dead, picture, taken, nowMs, policy } = request;
  const [only, ...others] = dead;
  const target =
    request.target ?? (only === undefined || others.length > 0 ? null : goneOnWith(only, picture));
  if (target !== null) return dead.map((host) => ({ host, outcome: onto(host, target, request) }));
  const { pairs, missing } = assignSpares(dead, picture, taken, nowMs, policy);
  return [
    ...missing.map(({ dead: host, candidates }) => ({
      host,
      outcome: { name: 'no-spare' as const, host, candidates: [...candidates] },
    })),
    ...pairs.map(({ dead: host, spare }) => ({ host, outcome: allTo(host, spare, request) })),
  ];
}

/** Where an earlier recovery of this host went to: parts of its instances may run there. Null: there was none. */
const goneOnWith = (host: string, picture: Picture): string | null => {
  const from = picture.hypervisor(host);
  if (from === undefined) return null;
  return picture.hypervisors.find((to) => isGoneOnWith(from, to))?.host ?? null;
};

/**
 * The operator names the spare: it must fit as any other, or be the one that an earlier recovery of this host went to
 * and did not fill to the end.
 */
function onto(host: string, spare: string, request: PlanRequest): Plan | Refusal {
  const { picture, taken, nowMs, policy } = request;
  const [from, to] = [picture.hypervisor(host), picture.hypervisor(spare)];
  if (from === undefined) return { name: 'unknown-host', host };
  if (to === undefined) return { name: 'unknown-host', host: spare };
  const { heartbeatPeriodMs } = policy;
  const question = { dead: from, spare: to, picture, nowMs, heartbeatPeriodMs };
  const shortcoming = isGoneOnWith(from, to) ? targetShortcoming : spareShortcoming;
  const why = taken.has(spare) ? 'is taken by another recovery' : shortcoming(question);
  return why === null ? allTo(host, spare, request) : { name: 'spare-unfit', host, spare, why: `it ${why}` };
}

/** Those that are known, and whatever else ns4 finds on the host. */
function allTo(host: string, spare: string, { picture }: PlanRequest): Plan {
  const known = picture.hostsRead.includes(host) ? picture.serversOf(host).map(({ id }) => id) : [];
  const target = { kind: 'host' as const, host: spare };
  const move = { target, otherwise: null, wave: 1 };
  return {
    method: 'reserved_host',
    moves: [...(known.length === 0 ? [] : [{ ...move, instances: known }]), { ...move, instances: 'others' }],
    enable: [spare],
  };
}
