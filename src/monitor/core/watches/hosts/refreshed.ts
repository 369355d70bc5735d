// Phase `refreshing`: from a fresh picture to the suspects, and a scan of them with controls. Pure.
import { wasHandled } from '../../../../shared/documents/inventory.ts';
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import { recoveryMarkOf } from '../../../../shared/documents/terms/disabled-reason.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { controlsFor } from '../../../../shared/rules/control-plane.ts';
import { hostTarget } from '../../../../shared/rules/controls.ts';
import { disksTarget } from '../../../../shared/rules/disks.ts';
import { differingPlans } from '../../../../shared/rules/fencing-plans.ts';
import { stillCutOff } from '../../../../shared/rules/still-cut-off.ts';
import { closeReturned, suspect } from '../../incidents/incidents.ts';
import { watchMarked } from '../../incidents/marked.ts';
import { clearHost, clearPart, forgetPart, raise } from '../../incidents/raised.ts';
import { judgeBeginning } from '../../incidents/safe-mode.ts';
import type { Draft } from '../../state/draft.ts';
import { freshMs } from '../../state/rules.ts';
import { type HostsPhase, recoveringHosts } from '../../state/state.ts';
import { withInventory } from '../../state/survey.ts';
import { clearOutages, lookForOutages } from './outages.ts';
import { giveUpRound, readServersAnew, rest } from './round.ts';
import { findSuspects, isUntold, nextCheckMs, type Suspect, type Suspicion } from './suspicion.ts';

/** Why there is no picture although the refresh went well. */
export const unread = 'Redis holds none that can be read';

export function onRefreshed(
  draft: Draft,
  outcome: JobOutcome<'refresh-inventory'>,
  picture: Picture | null,
  { job }: HostsPhase & { kind: 'refreshing' },
): void {
  const { nowMs, rules, state } = draft;
  const failure = refreshFailure(outcome);
  if (failure !== null && job.data.servers)
    return giveUpRound(draft, { name: 'servers-unavailable', of: 'refresh', detail: failure });
  if (failure !== null || picture === null)
    return giveUpRound(draft, { name: 'inventory-unavailable', detail: failure ?? unread });
  const ageMs = Math.abs(nowMs - picture.collectedAtMs);
  if (ageMs > freshMs) return giveUpRound(draft, { name: 'inventory-stale', ageMs, limitMs: freshMs });
  judgeBeginning(draft, picture);
  watchMarked(draft, picture);
  draft.state.watches = { ...state.watches, senses: withInventory(state.watches.senses, nowMs) };
  judgePlans(draft, picture);
  judgeCutOff(draft, picture);
  judgeLeftOut(draft, picture);
  const suspicion = findSuspects(picture, nowMs, rules, recoveringHosts(state));
  const next = nextCheckMs(nowMs, rules, suspicion.nextExpiryMs);
  const outages = lookForOutages(draft, picture);
  if (outages.everywhere) return rest(draft, next);
  clearPart(draft, ({ refusal, scope }) => isSight(refusal.name) && scope.kind === 'cloud');
  clearOutages(draft, outages);
  clearServers(draft, picture, suspicion);
  closeReturned(draft, picture);
  clearTheWell(draft, suspicion, picture);

  const suspects = suspicion.suspects.filter((s) => !outages.refused.has(s.hypervisor.host));
  if (backsOff(draft, suspects, suspicion)) return rest(draft, next);
  if (suspects.length === 0)
    return suspicion.perhapsEmpty.length > 0 ? readServersAnew(draft) : rest(draft, next);
  tellSuspects(draft, suspects, suspicion);
  const scannable = suspects.filter((s) => s.hypervisor.address !== null);
  if (scannable.length === 0) return rest(draft, next);
  scanHosts(draft, scannable, suspects, picture);
}

/** Said while all is well too: whoever finds out when a host is dead has lost the time until all plans are one. */
function judgePlans(draft: Draft, picture: Picture): void {
  const differing = differingPlans([], picture.fencingPlans, draft.rules);
  if (differing !== null) return raise(draft, differing);
  clearPart(draft, ({ refusal, scope }) => refusal.name === 'fencing-plans-differ' && scope.kind === 'cloud');
}

/** Told again and again by `status`: who finds it out by his guests has lost a morning. */
function judgeCutOff(draft: Draft, picture: Picture): void {
  const hosts = stillCutOff(picture, draft.nowMs);
  if (hosts.length > 0) return raise(draft, { name: 'still-cut-off', hosts });
  clearPart(draft, ({ refusal }) => refusal.name === 'still-cut-off');
}

/** A host or an instance that nobody can read is one that nobody watches. */
function judgeLeftOut(draft: Draft, { leftOut: lists }: Picture): void {
  if (lists.length > 0) return raise(draft, { name: 'records-left-out', lists });
  clearPart(draft, ({ refusal }) => refusal.name === 'records-left-out');
}

/** Why a refresh failed; null when it did not. */
export function refreshFailure(outcome: JobOutcome<'refresh-inventory'>): string | null {
  if (outcome.state === 'failed') return outcome.detail;
  if (outcome.state !== 'done') return 'the job vanished from the queue';
  return outcome.result.ok ? null : outcome.result.detail;
}

/** Refusals that a fresh picture of a cloud without outage puts an end to. */
const isSight = (name: string): boolean =>
  name === 'inventory-unavailable' || name === 'inventory-stale' || name === 'control-plane-suspect';

/** Newer servers than when they were missed, or nobody left to judge by them. */
function clearServers(draft: Draft, picture: Picture, { suspects }: Suspicion): void {
  const collectedAtMs = picture.serversCollectedAtMs ?? 0;
  clearPart(
    draft,
    ({ refusal, sinceMs }) =>
      refusal.name === 'servers-unavailable' &&
      collectedAtMs > sinceMs &&
      (refusal.of === 'refresh' || suspects.length === 0),
  );
}

/**
 * Whoever is neither suspicious nor left with instances is well; what Nova still has on hosts of earlier recoveries is
 * told.
 */
function clearTheWell(draft: Draft, { suspects, leftovers: found }: Suspicion, picture: Picture): void {
  const serversTellOfNow = (picture.serversCollectedAtMs ?? 0) > draft.state.recoveryEndedMs;
  const leftovers = serversTellOfNow ? found : [];
  const unwell = new Set([...suspects.map((s) => s.hypervisor.host), ...leftovers.map((l) => l.host)]);
  // A host that bears the mark of another Sonny is no suspect, and not well for that.
  const isTaken = (host: string) => {
    const hypervisor = picture.hypervisor(host);
    const isMarked = hypervisor !== undefined && wasHandled(hypervisor);
    return isMarked && draft.incident(host)?.raised?.refusal.name === 'foreign-mark';
  };
  for (const { subject } of draft.state.incidents)
    if (
      !unwell.has(subject.name) &&
      !isUntold(subject.name, picture, draft.nowMs, draft.rules) &&
      !isTaken(subject.name)
    )
      clearHost(draft, subject.name);
  for (const { host, instances } of leftovers.filter((left) => !isTaken(left.host)))
    raise(draft, { name: 'already-handled', host, servers: instances, ...markOn(draft, host, picture) });
}

/** What the mark in Nova says of the recovery that was there. */
function markOn(draft: Draft, host: string, picture: Picture): { target: string | null; foreign: boolean } {
  const mark = recoveryMarkOf(picture.hypervisor(host)?.disabledReason ?? null);
  const { life } = draft.state;
  return {
    target: mark?.targets ?? null,
    foreign: mark !== null && mark.by !== null && mark.by.sonny !== life,
  };
}

/** The original's rule: quiet while backing off, and its end is told with the number of rounds. */
function backsOff(draft: Draft, suspects: readonly Suspect[], suspicion: Suspicion): boolean {
  const { rules, state } = draft;
  if (suspects.length > rules.suspiciousBackoff) {
    state.backoffs += 1;
    const names = suspects.map((s) => s.hypervisor.host);
    raise(draft, { name: 'too-many-suspects', suspects: names, limit: rules.suspiciousBackoff });
    return true;
  }
  if (state.backoffs > 0 && suspicion.suspects.length === 0) {
    draft.say({ kind: 'backoff-over', rounds: state.backoffs });
    state.backoffs = 0;
    forgetPart(draft, 'too-many-suspects');
  }
  return false;
}

function tellSuspects(
  draft: Draft,
  suspects: readonly Suspect[],
  { disabledWithInstances }: Suspicion,
): void {
  const news = suspects.filter((s) => suspect(draft, s.hypervisor.host));
  if (news.length > 0)
    draft.say({
      kind: 'suspects-found',
      hosts: news.map((s) => ({ host: s.hypervisor.host, silentMs: s.silentMs })),
    });
  for (const { host, instances } of disabledWithInstances)
    if (news.some((s) => s.hypervisor.host === host))
      draft.say({ kind: 'disabled-with-instances', host, instances });
  for (const { hypervisor } of suspects)
    if (hypervisor.address === null) raise(draft, { name: 'no-address', host: hypervisor.host });
}

function scanHosts(
  draft: Draft,
  scannable: readonly Suspect[],
  suspects: readonly Suspect[],
  picture: Picture,
): void {
  const { nowMs, rules } = draft;
  const unsuitable = new Set(suspects.map((s) => s.hypervisor.host));
  const job = draft.scanJob({
    targets: [
      ...scannable.map((s) => hostTarget(s.hypervisor.host, s.hypervisor.address, rules)),
      ...(rules.asksDisks ? scannable.map((s) => disksTarget(s.hypervisor.host)) : []),
    ],
    controls: controlsFor(unsuitable, picture, nowMs, rules),
    requestedAtMs: nowMs,
  });
  const names = scannable.map((s) => s.hypervisor.host);
  draft.enter({ kind: 'scanning-hosts', sinceMs: nowMs, job, suspects: names });
}
