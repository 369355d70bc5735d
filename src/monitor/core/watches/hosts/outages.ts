// Partial outages in a round: whom the state of the control plane keeps from being judged, said once per part. Pure.

import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanResult } from '../../../../shared/documents/jobs/scan.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import {
  findOutages,
  type Outage,
  type Outages,
  outageRefusal,
  unansweredFor,
  wholeCloud,
} from '../../../../shared/rules/control-plane.ts';
import type { Turn } from '../../step-draft.ts';

/** What a round must know of outages. */
export interface OutageSight extends Outages {
  /** Nobody is judged at all. */
  readonly everywhere: boolean;
  /** Their zones or aggregates are refused: they are not judged, the others are. */
  readonly refused: ReadonlySet<string>;
}

/** Looks for outages and refuses each part that failed, once until it is over. */
export function lookForOutages(turn: Turn, picture: Picture): OutageSight {
  const recovering = new Set(turn.state.recoveries.map((r) => r.dead));
  const outages = findOutages(picture, turn.nowMs, turn.rules, recovering);
  for (const outage of outages.failed) {
    const before = turn.state.standing[outage.scope]?.refusal;
    // When the message bus fails, services and agents run out, and come back, one after the other: only worse is news.
    const worst = before?.name === 'control-plane-suspect' && before.of === 'agents' ? 'agents' : outage.of;
    const hosts = outage.scope === wholeCloud ? [] : outage.stale;
    turn.refuse(outageRefusal(outage, hosts), worst, outage.scope);
  }
  return {
    ...outages,
    everywhere: outages.failed.some((outage) => outage.scope === wholeCloud),
    refused: new Set(outages.failed.flatMap((outage) => [...outage.hosts])),
  };
}

const noScan: ScanResult = { ok: false, detail: 'there was none' };

/**
 * Of the hosts that were silent to the scan that ended in `outcome` (with those of its targets whose silence testifies),
 * the ones that may be judged further: not part of an outage, and in each doubtful part of theirs a living member
 * answered. Without a picture the round will not act anyway.
 */
export function vouchedFor(
  turn: Turn,
  picture: Picture | null,
  outcome: JobOutcome<'scan'>,
  silent: Readonly<Record<string, readonly string[]>>,
): ReadonlySet<string> {
  const silentHosts = Object.keys(silent);
  if (silentHosts.length === 0 || picture === null) return new Set(silentHosts);
  const outages = lookForOutages(turn, picture);
  if (outages.everywhere) return new Set();
  const scan = outcome.state === 'done' ? outcome.result : noScan;
  const vouched = new Set<string>();
  const unvouched = new Map<Outage, string[]>();
  for (const [host, targets] of Object.entries(silent)) {
    if (outages.refused.has(host)) continue;
    const outage = unansweredFor(host, outages, scan, targets);
    if (outage) unvouched.set(outage, [...(unvouched.get(outage) ?? []), host]);
    else vouched.add(host);
  }
  for (const [outage, hosts] of unvouched) {
    turn.refuse(outageRefusal(outage, hosts));
  }
  return vouched;
}
