// The gates as ns4 asks them, by facts collected just now. The second lock on the same door: the monitor judged seconds
// ago, ns4 asks again before the first change and whenever it continues. Pure.

import type { Hosts, Servers } from '../../shared/documents/inventory.ts';
import type { EvacuateData } from '../../shared/documents/jobs/evacuate.ts';
import type { ScanResult } from '../../shared/documents/jobs/scan.ts';
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
export interface Suspect extends Pick<EvacuateData, 'dead' | 'judgedAtMs'> {
  /** The host was proven to be off then: what is older tells of its life before. Null: no proof. */
  readonly offSinceMs?: number | null;
}

/**
 * A refusal, or null when the recovery may go on. `resumed`: this recovery already changed something, so the spare
 * is expected to be enabled and partly filled, and Nova's report time of the dead service is no evidence any more (our
 * own change of the service may have touched it).
 */
export function permitRecovery(
  order: Pick<EvacuateData, 'spare'> & Suspect,
  facts: FreshFacts,
  heartbeatPeriodMs: number,
  resumed: boolean,
): Refusal | null {
  const { hosts, servers, nowMs } = facts;
  const picture = Picture.of(hosts, servers);
  const host = order.dead;
  const dead = hosts.hypervisors.find((h) => h.host === host);
  if (dead === undefined) return { name: 'unknown-host', host };
  const spare = hosts.hypervisors.find((h) => h.host === order.spare);
  if (spare === undefined) return { name: 'unknown-host', host: order.spare };
  return (
    signOfLife(order, facts, heartbeatPeriodMs, resumed) ??
    (resumed ? null : partOfOutage(host, facts, heartbeatPeriodMs)) ??
    (resumed
      ? spareNoLongerWorks(order, hosts, nowMs, heartbeatPeriodMs)
      : unfit(order, spareShortcoming({ dead, spare, picture, heartbeatPeriodMs, nowMs })))
  );
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
function partOfOutage(
  host: string,
  { hosts, scan, nowMs }: Pick<FreshFacts, 'hosts' | 'scan' | 'nowMs'>,
  heartbeatPeriodMs: number,
): Refusal | null {
  const outages = findOutages(Picture.of(hosts, null), nowMs, { heartbeatPeriodMs }, new Set());
  const outage: Outage | undefined =
    outages.failed.find((o) => o.hosts.has(host)) ?? unansweredFor(host, outages, scan, [host]);
  return outage === undefined ? null : outageRefusal(outage, [host]);
}

function unfit(order: Pick<EvacuateData, 'dead' | 'spare'>, why: string | null): Refusal | null {
  return why === null
    ? null
    : { name: 'spare-unfit', host: order.dead, spare: order.spare, why: `it ${why}` };
}

function spareNoLongerWorks(
  order: Pick<EvacuateData, 'dead' | 'spare'>,
  hosts: Hosts,
  nowMs: number,
  heartbeatPeriodMs: number,
): Refusal | null {
  const spare = hosts.hypervisors.find((h) => h.host === order.spare);
  if (spare?.state !== 'up') return unfit(order, 'has its nova-compute down');
  const silent = hosts.agents.find(
    (a) => a.host === order.spare && nowMs - a.heartbeatAtMs > heartbeatPeriodMs,
  );
  return unfit(order, silent ? `has a silent network agent (${silent.binary})` : null);
}
