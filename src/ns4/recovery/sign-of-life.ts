// What speaks against a host being dead, by facts collected just now: its agents, its nova-compute, its address, its
// disks, and the scan's own failure. Pure.

import { type Agent, kindOfAgent } from '../../shared/documents/inventory.ts';
import type { RecoverData } from '../../shared/documents/jobs/recover.ts';
import type { ScanResult } from '../../shared/documents/jobs/scan.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import { disksName } from '../../shared/rules/disks.ts';
import { isGoodBeat } from '../../shared/rules/senses/ovn.ts';
import { ago } from '../../shared/rules/senses/sense.ts';
import { tooFewVantagePoints } from '../../shared/rules/votes.ts';

/** What may tell that the host lives, collected just now. */
export interface FreshFacts {
  /** The network agents of a host; their heartbeats by this ns4's clock. */
  agentsOf(host: string): readonly Agent[];
  /**
   * When its nova-compute reported; null or absent: that is no evidence (our own change of the service may touch it).
   */
  readonly reportedAtMs?: number | null;
  readonly scan: ScanResult;
  readonly nowMs: number;
  /**
   * What was begun rests on a silence that counted then: a Redis that lost what was heard, or an upgrade from before
   * there was a baseline, must not leave instances half-way.
   */
  readonly isBegun?: boolean;
}

/** The host in question, and since when nothing may have been heard of it. */
export interface Suspect
  extends Pick<RecoverData, 'dead' | 'judgedAtMs'>,
    Partial<Pick<RecoverData, 'byHand' | 'judgedByGuests'>> {
  /** The host was proven to be off then: what is older tells of its life before. Null or absent: no proof. */
  readonly offSinceMs?: number | null;
}

/**
 * Anything that speaks against the host being dead, the scan's own failure included: doubt is a refusal. A heartbeat
 * since the verdict counts however old it is by now: the host lived again, and is to be judged anew.
 */
export function signOfLife(
  order: Suspect,
  { agentsOf, reportedAtMs = null, scan, nowMs, isBegun = false }: FreshFacts,
  heartbeatPeriodMs: number,
): Refusal | null {
  const host = order.dead;
  const { offSinceMs = null } = order;
  const sinceMs = offSinceMs ?? Math.min(order.judgedAtMs + 1, nowMs - heartbeatPeriodMs);
  const cameBack = (evidence: string): Refusal => ({ name: 'came-back', host, evidence });
  for (const agent of agentsOf(host)) {
    const heardMs = heardSince(agent, sinceMs, offSinceMs, nowMs, heartbeatPeriodMs);
    if (heardMs !== null) return cameBack(`heartbeat of ${agent.binary} ${ago(heardMs, nowMs)}`);
  }
  if (reportedAtMs !== null && reportedAtMs > (offSinceMs ?? order.judgedAtMs))
    return cameBack('nova-compute reported after it was judged dead');
  // By hand nobody judged it before. Half the period: as old as it must be where agents can tell as well.
  if (reportedAtMs !== null && offSinceMs === null && nowMs - reportedAtMs <= heartbeatPeriodMs / 2)
    return cameBack(`nova-compute reported ${ago(reportedAtMs, nowMs)}`);
  if (!scan.ok) return { name: 'scan-failed', of: 'hosts', hosts: [host], detail: scan.detail };
  const finding = scan.targets[host];
  if (finding?.state === 'answers') return { name: 'came-back', host, evidence: finding.detail };
  const disks = scan.targets[disksName(host)];
  if (disks?.state === 'answers') return { name: 'disks-open', host, on: disks.detail };
  if (scan.outcome === 'too-few-vantage-points') return tooFewVantagePoints([host], scan);
  if (scan.outcome === 'blind')
    return { name: 'scanner-blind', of: 'hosts', hosts: [host], controls: Object.keys(scan.controls) };
  // Nobody ever heard it: its silence says nothing now, and the order rests on something else.
  const others = isBegun || order.judgedByGuests || order.byHand || offSinceMs !== null;
  if (finding?.neverHeard && others) return null;
  if (finding?.state !== 'silent')
    return { name: 'scan-unknown', host, detail: finding?.detail ?? 'the scan did not report on it' };
  return null;
}

/**
 * When the agent was heard; null: not since then. A beat of OVN counts by the look that found it moved: it may be as old
 * as the look before, so against a proof it is that one which has to be younger.
 */
function heardSince(
  agent: Agent,
  sinceMs: number,
  offSinceMs: number | null,
  nowMs: number,
  heartbeatPeriodMs: number,
): number | null {
  const { heartbeatAtMs, ovn } = agent;
  if (kindOfAgent(agent) === 'reports') return heartbeatAtMs >= sinceMs ? heartbeatAtMs : null;
  if (ovn?.says !== 'alive' || ovn.heardAtMs === null) return null;
  const counts =
    offSinceMs === null
      ? isGoodBeat(ovn.heardAtMs, nowMs, heartbeatPeriodMs)
      : ovn.heardAfterMs !== null && ovn.heardAfterMs >= offSinceMs;
  return counts ? ovn.heardAtMs : null;
}
