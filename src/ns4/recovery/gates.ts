// The gates as ns4 asks them, by facts collected just now. The second lock on the same door: the monitor judged seconds
// ago, ns4 asks again before the first change and whenever it continues. Pure.

import type { Hosts, Hypervisor, Servers } from '../../shared/documents/inventory.ts';
import type { RecoverData } from '../../shared/documents/jobs/recover.ts';
import type { ScanResult } from '../../shared/documents/jobs/scan.ts';
import { namedHosts } from '../../shared/documents/plan.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import { Picture } from '../../shared/picture/picture.ts';
import { findOutages, type Outage, outageRefusal, unansweredFor } from '../../shared/rules/control-plane.ts';
import { spareShortcoming } from '../../shared/rules/spares.ts';
import { tooFewEyes } from '../../shared/rules/votes.ts';

export interface FreshFacts {
  readonly hosts: Hosts;
  readonly servers: Servers;
  readonly scan: ScanResult;
  readonly nowMs: number;
}

/** The host in question, and since when nothing may have been heard of it. */
export interface Suspect extends Pick<RecoverData, 'dead' | 'judgedAtMs'> {
  /** The host was proven to be off then: what is older tells of its life before. Null: no proof. */
  readonly offSinceMs?: number | null;
}

/** What a gate judges. */
export interface GateCase {
  readonly order: Suspect & Pick<RecoverData, 'plan' | 'despite'>;
  readonly facts: FreshFacts;
  readonly heartbeatPeriodMs: number;
  /**
   * This recovery already changed something: its targets are expected to be enabled and partly filled, and Nova's report
   * time of the dead service is no evidence any more (our own change of the service may have touched it).
   */
  readonly resumed: boolean;
}

interface Gate {
  readonly name: string;
  /** May an operator have it waived (`--despite`, by the refusal's name)? Never what guards a disk. */
  readonly isWaivable: boolean;
  check(question: GateCase): Refusal | null;
}

/** In this order: the first that refuses is the one that is told. */
export const gates: readonly Gate[] = [
  { name: 'known', isWaivable: false, check: isKnown },
  {
    name: 'silent',
    isWaivable: false,
    check: ({ order, facts, heartbeatPeriodMs, resumed }) =>
      signOfLife(order, facts, heartbeatPeriodMs, resumed),
  },
  { name: 'control-plane', isWaivable: true, check: partOfOutage },
  { name: 'targets', isWaivable: false, check: targetsFit },
];

/** The first refusal, or null when the recovery may go on. */
export function permitRecovery(question: GateCase): Refusal | null {
  for (const { isWaivable, check } of gates) {
    const refusal = check(question);
    if (refusal !== null && !(isWaivable && question.order.despite.includes(refusal.name))) return refusal;
  }
  return null;
}

function isKnown({ order, facts }: GateCase): Refusal | null {
  const known = new Set(facts.hosts.hypervisors.map((h) => h.host));
  const unknown = [order.dead, ...namedHosts(order.plan)].find((host) => !known.has(host));
  return unknown === undefined ? null : { name: 'unknown-host', host: unknown };
}

/**
 * Anything that speaks against the host being dead, the scan's own failure included: doubt is a refusal. A heartbeat
 * since the verdict counts however old it is by now: the host lived again, and is to be judged anew.
 */
export function signOfLife(
  order: Suspect,
  { hosts, scan, nowMs }: Pick<FreshFacts, 'hosts' | 'scan' | 'nowMs'>,
  heartbeatPeriodMs: number,
  resumed: boolean,
): Refusal | null {
  const host = order.dead;
  const { offSinceMs = null } = order;
  const sinceMs = offSinceMs ?? Math.min(order.judgedAtMs + 1, nowMs - heartbeatPeriodMs);
  const heard = hosts.agents.find((a) => a.host === host && a.heartbeatAtMs >= sinceMs);
  if (heard)
    return {
      name: 'came-back',
      host,
      evidence: `heartbeat of ${heard.binary} ${Math.round((nowMs - heard.heartbeatAtMs) / 1000)} s ago`,
    };
  const reportedAtMs = hosts.hypervisors.find((h) => h.host === host)?.reportedAtMs ?? 0;
  if (!resumed && reportedAtMs > (offSinceMs ?? order.judgedAtMs))
    return { name: 'came-back', host, evidence: 'nova-compute reported after it was judged dead' };
  if (!scan.ok) return { name: 'scan-failed', of: 'hosts', hosts: [host], detail: scan.detail };
  const finding = scan.targets[host];
  if (finding?.state === 'answers') return { name: 'came-back', host, evidence: finding.detail };
  if (scan.outcome === 'too-few-eyes') return tooFewEyes([host], scan);
  if (scan.outcome === 'blind')
    return { name: 'scanner-blind', of: 'hosts', hosts: [host], controls: Object.keys(scan.controls) };
  if (finding?.state !== 'silent')
    return { name: 'scan-unknown', host, detail: finding?.detail ?? 'the scan did not report on it' };
  return null;
}

/**
 * Is it one of many that went stale together? Asked before the first change only: what was begun is ended, as instances
 * in between are worse off, and by then the scan alone tells.
 */
function partOfOutage({ order, facts, heartbeatPeriodMs, resumed }: GateCase): Refusal | null {
  if (resumed) return null;
  const { hosts, scan, nowMs } = facts;
  const { dead: host } = order;
  const outages = findOutages(Picture.of(hosts, null), nowMs, { heartbeatPeriodMs }, new Set());
  const outage: Outage | undefined =
    outages.failed.find((o) => o.hosts.has(host)) ?? unansweredFor(host, outages, scan, [host]);
  return outage === undefined ? null : outageRefusal(outage, [host]);
}

/** Each hypervisor that the plan names, as it is now. */
function targetsFit(question: GateCase): Refusal | null {
  const { order, facts } = question;
  for (const spare of namedHosts(order.plan)) {
    const target = facts.hosts.hypervisors.find((h) => h.host === spare);
    const why = target === undefined ? 'is not known' : shortcomingOf(target, question);
    if (why !== null) return { name: 'spare-unfit', host: order.dead, spare, why: `it ${why}` };
  }
  return null;
}

/** Why a target cannot take over, as words that follow its name. */
function shortcomingOf(target: Hypervisor, question: GateCase): string | null {
  const { order, facts, heartbeatPeriodMs, resumed } = question;
  const { hosts, servers, nowMs } = facts;
  const dead = hosts.hypervisors.find((h) => h.host === order.dead);
  if (dead === undefined) return 'has nobody to stand in for';
  if (!resumed && order.plan.enable.includes(target.host)) {
    const picture = Picture.of(hosts, servers);
    return spareShortcoming({ dead, spare: target, picture, heartbeatPeriodMs, nowMs });
  }
  if (target.host === dead.host) return 'is the dead hypervisor itself';
  if (target.state !== 'up') return 'has its nova-compute down';
  if (!resumed && target.status !== 'enabled') return 'is disabled';
  const silent = hosts.agents.find(
    (a) => a.host === target.host && nowMs - a.heartbeatAtMs > heartbeatPeriodMs,
  );
  return silent ? `has a silent network agent (${silent.binary})` : null;
}
