// Partial outages in a round: whom the state of the control plane keeps from being judged, said once per part. Pure.

import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanResult } from '../../../../shared/documents/jobs/scan.ts';
import { isSameScope } from '../../../../shared/documents/terms/scope.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import {
  findOutages,
  type Outage,
  type Outages,
  outageRefusal,
  unansweredFor,
} from '../../../../shared/rules/control-plane.ts';
import { clearPart, raise } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';
import { type Raised, recoveringHosts } from '../../state/state.ts';

/** What falls silent together is silent within so many heartbeat periods. */
const settledPeriods = 2;

/** What a round must know of outages. */
interface OutageSight extends Outages {
  /** Nobody is judged at all. */
  readonly everywhere: boolean;
  /** Their zones or aggregates are refused: they are not judged, the others are. */
  readonly refused: ReadonlySet<string>;
}

/** Looks for outages and refuses each part that failed, once until it is over. */
export function lookForOutages(draft: Draft, picture: Picture): OutageSight {
  const outages = findOutages(picture, draft.nowMs, draft.rules, recoveringHosts(draft.state));
  for (const outage of outages.failed) {
    const { scope } = outage;
    const before = draft.state.raised.find(
      (r) => isSameScope(r.scope, scope) && r.refusal.name === 'control-plane-suspect',
    );
    const hosts = scope.kind === 'cloud' ? [] : outage.stale;
    const signature = before && !isNews(draft, before, outage) ? before.signature : signatureOf(outage);
    raise(draft, outageRefusal(outage, hosts), { scope, signature });
  }
  return {
    ...outages,
    everywhere: outages.failed.some(({ scope }) => scope.kind === 'cloud'),
    refused: new Set(outages.failed.flatMap((outage) => [...outage.hosts])),
  };
}

const signatureOf = ({ of, stale }: Outage): string => `${of} ${stale.join()}`;

/**
 * When the message bus fails, services and agents run out, and come back, one after the other: only worse is news. So is
 * a host that was not named, once all heartbeats that ran out with the first had the time to: it may be a dead one.
 */
function isNews(
  { nowMs, rules }: Draft,
  { refusal, sinceMs }: Raised,
  { of, stale }: Pick<Outage, 'of' | 'stale'>,
): boolean {
  if (refusal.name !== 'control-plane-suspect') return true;
  if (of !== refusal.of) return refusal.of !== 'agents';
  const hasUnnamed = stale.some((host) => !refusal.stale.includes(host));
  return hasUnnamed && Math.abs(nowMs - sinceMs) >= settledPeriods * rules.heartbeatPeriodMs;
}

/** Zones and aggregates that report again. */
export function clearOutages(draft: Draft, { failed }: Outages): void {
  clearPart(
    draft,
    ({ refusal, scope }) =>
      refusal.name === 'control-plane-suspect' &&
      scope.kind !== 'cloud' &&
      !failed.some((outage) => isSameScope(outage.scope, scope)),
  );
}

const noScan: ScanResult = { ok: false, detail: 'there was none' };

/**
 * Of the hosts that were silent to the scan that ended in `outcome` (with those of its targets whose silence
 * testifies), the ones that may be judged further: not part of an outage, and in each doubtful part of theirs a living
 * member answered. Without a picture the round will not act anyway.
 */
export function vouchedFor(
  draft: Draft,
  picture: Picture | null,
  outcome: JobOutcome<'scan'>,
  silent: Readonly<Record<string, readonly string[]>>,
): ReadonlySet<string> {
  const silentHosts = Object.keys(silent);
  if (silentHosts.length === 0 || picture === null) return new Set(silentHosts);
  const outages = lookForOutages(draft, picture);
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
  for (const [outage, hosts] of unvouched) raise(draft, outageRefusal(outage, hosts));
  return vouched;
}
