// The gates as ns4 asks them, by facts collected just now. The second lock on the same door: the monitor judged seconds
// ago, ns4 asks again before the first change and whenever it continues. Pure.

import { type Hypervisor, operatorsReason } from '../../shared/documents/inventory.ts';
import type { RecoverData } from '../../shared/documents/jobs/recover.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import { namedHosts } from '../../shared/documents/terms/plan.ts';
import { quoted } from '../../shared/ground/plain.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { findOutages, type Outage, outageRefusal, unansweredFor } from '../../shared/rules/control-plane.ts';
import { disksName, disksRefusal } from '../../shared/rules/disks.ts';
import { differingPlans } from '../../shared/rules/fencing-plans.ts';
import { askGates, type Gate } from '../../shared/rules/gates/gate.ts';
import { recoveryGates } from '../../shared/rules/gates/recovery-gates.ts';
import type { Policy } from '../../shared/rules/policy.ts';
import { isGoneOnWith, spareShortcoming, targetShortcoming } from '../../shared/rules/spares.ts';
import { answersText, type GuestsAsked, guestsGate } from './guests-still-there.ts';
import { foreignMark } from './mark.ts';
import { type FreshFacts, type Suspect, signOfLife } from './sign-of-life.ts';

/** What a gate judges. */
interface GateCase {
  readonly order: Suspect & Pick<RecoverData, 'plan' | 'sonny' | 'byHand'>;
  readonly facts: Pick<FreshFacts, 'scan' | 'nowMs'> & {
    /** Of its instances for which nothing was asked yet: who answers, and how many were asked. Absent: nobody was. */
    readonly guests?: GuestsAsked;
  };
  /**
   * This recovery already changed something: its targets are expected to be enabled and partly filled, and Nova's
   * report time of the dead service is no evidence any more (our own change of the service may have touched it).
   */
  readonly resumed: boolean;
}

type WorkerGate = Gate<GateCase, Picture, Policy>;

/** In this order: the first that refuses is the one that is told. */
export const workerGates: readonly WorkerGate[] = [
  {
    name: 'dry-mode',
    why: 'a monitor of another configuration has this ns4 act',
    waivable: true,
    // What was begun is ended: instances in between are worse off.
    check: ({ order: { dead }, resumed }, _, { deadBackoff }) =>
      deadBackoff === 0 && !resumed ? { name: 'dry-mode', hosts: [dead] } : null,
  },
  {
    name: 'unknown-host',
    why: 'Nova is asked to move instances of a host that is not there',
    waivable: false,
    check: isKnown,
  },
  // Before the signs of life: whoever changes the service moves its report as well, and that is no sign.
  {
    name: 'foreign-mark',
    why: 'two Sonnys that share no Redis evacuate each instance twice at once',
    waivable: true,
    check: ({ order, resumed }, picture) => {
      const dead = picture.hypervisor(order.dead);
      return resumed || dead === undefined ? null : foreignMark(dead, order);
    },
  },
  {
    name: 'operator-at-work',
    why: 'a host in its firmware update is powered off',
    waivable: true,
    check: ({ order: { dead: host }, resumed }, picture, { disabledHosts }) => {
      const dead = picture.hypervisor(host);
      const reason = dead === undefined ? null : operatorsReason(dead);
      if (resumed || disabledHosts === 'recover' || reason === null) return null;
      return { name: 'operator-at-work', host, reason, meanwhile: false };
    },
  },
  {
    name: 'came-back',
    why: 'the instances of a living host get a second writer on their disks',
    waivable: false,
    check: ({ order, facts, resumed }, picture, { heartbeatPeriodMs }) =>
      signOfLife(
        order,
        {
          ...facts,
          isBegun: resumed,
          agentsOf: (host) => picture.agentsOf(host),
          reportedAtMs: resumed ? null : (picture.hypervisor(order.dead)?.reportedAtMs ?? null),
        },
        heartbeatPeriodMs,
      ),
  },
  {
    name: guestsGate,
    why: 'the instances of a host that is only cut off get a second writer on their disks',
    waivable: 'by-word',
    check: guestsAnswer,
  },
  // What was begun may be gone on with its proof; a new one asks again (prove-off.ts).
  {
    name: 'fencing-plans-differ',
    why: 'the device of another host is taken for that of the dead one',
    waivable: false,
    check: ({ order, resumed }, picture, policy) =>
      resumed ? null : differingPlans([order.dead], picture.fencingPlans, policy),
  },
  {
    name: 'disks-unknown',
    why: 'the instances of a host that is cut off from all but its storage get a second writer on their disks',
    waivable: true,
    // Half-way the host is cut off from its disks, or proven off.
    check: ({ order: { dead }, facts: { scan }, resumed }) => {
      const disks = scan.ok ? scan.targets[disksName(dead)] : undefined;
      return disks === undefined || resumed ? null : disksRefusal(dead, disks);
    },
  },
  {
    name: 'control-plane-suspect',
    why: 'a network that is cut looks like a dead host',
    waivable: true,
    check: partOfOutage,
  },
  {
    name: 'spare-unfit',
    why: 'instances go to a host that cannot run them',
    waivable: false,
    check: targetsFit,
  },
];

/** Names that an operator may waive by `--despite`, of the monitor's gates and ns4's. */
export const waivableGates: readonly string[] = [
  ...new Set(
    [...recoveryGates, ...workerGates].filter((gate) => gate.waivable === true).map((gate) => gate.name),
  ),
];

/** The first refusal, or null when the recovery may go on. */
export function permitRecovery(
  about: GateCase,
  picture: Picture,
  policy: Policy,
  despite: readonly string[],
): Refusal | null {
  return askGates(workerGates, about, picture, policy, despite);
}

function isKnown({ order }: GateCase, picture: Picture): Refusal | null {
  const unknown = [order.dead, ...namedHosts(order.plan)].find(
    (host) => picture.hypervisor(host) === undefined,
  );
  return unknown === undefined ? null : { name: 'unknown-host', host: unknown };
}

/**
 * Half-way they are a sign of life as any other; of a host that is proven to be off each is left alone by itself, while
 * the others move (still-silent.ts).
 */
function guestsAnswer({ order, facts: { guests }, resumed }: GateCase): Refusal | null {
  const host = order.dead;
  if (guests === undefined) return null;
  const { answering, asked, trouble } = guests;
  if (trouble !== null && !resumed)
    return { name: 'scan-failed', of: 'guests', hosts: [host], detail: trouble };
  if (answering.length === 0) return null;
  if (!resumed) {
    const names = answering.map(({ name }) => quoted(name));
    return { name: 'guests-answer', host, answering: names, silent: asked - names.length };
  }
  return (order.offSinceMs ?? null) === null
    ? { name: 'came-back', host, evidence: answersText(answering) }
    : null;
}

/**
 * Is it one of many that went stale together? Asked before the first change only: what was begun is ended, as instances
 * in between are worse off, and by then the scan alone tells.
 */
function partOfOutage({ order, facts, resumed }: GateCase, picture: Picture, policy: Policy): Refusal | null {
  if (resumed) return null;
  const { scan, nowMs } = facts;
  const { dead: host } = order;
  const outages = findOutages(picture, nowMs, policy, new Set());
  const isNeverHeard = scan.ok && scan.targets[host]?.neverHeard === true;
  const outage: Outage | undefined =
    outages.failed.find((o) => o.hosts.has(host)) ??
    unansweredFor(host, outages, scan, isNeverHeard ? [] : [host]);
  return outage === undefined ? null : outageRefusal(outage, [host]);
}

/** Each hypervisor that the plan names, as it is now. */
function targetsFit(about: GateCase, picture: Picture, policy: Policy): Refusal | null {
  const { order } = about;
  for (const spare of namedHosts(order.plan)) {
    const target = picture.hypervisor(spare);
    const why = target === undefined ? 'is not known' : shortcomingOf(target, about, picture, policy);
    if (why !== null) return { name: 'spare-unfit', host: order.dead, spare, why: `it ${why}` };
  }
  return null;
}

/** Why a target cannot take over, as words that follow its name. */
function shortcomingOf(
  target: Hypervisor,
  { order, facts: { nowMs }, resumed }: GateCase,
  picture: Picture,
  { heartbeatPeriodMs }: Policy,
): string | null {
  const dead = picture.hypervisor(order.dead);
  if (dead === undefined) return 'has nobody to stand in for';
  const question = { dead, spare: target, picture, heartbeatPeriodMs, nowMs };
  if (!resumed && order.plan.enable.includes(target.host) && !isGoneOnWith(dead, target))
    return spareShortcoming(question);
  if (!resumed && target.status !== 'enabled') return 'is disabled';
  return targetShortcoming(question);
}
