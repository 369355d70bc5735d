// Beginning and end of a round of the watch over hosts. Pure.
import type { Refusal } from '../../../../shared/documents/refusals/refusals.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { raise } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';
import { recoveringHosts } from '../../state/state.ts';
import { findSuspects, nextCheckMs } from './suspicion.ts';

/** Asks for a refresh. What an operator's word waited for is looked at by this round. */
export function beginRound(draft: Draft): void {
  for (const incident of draft.state.incidents)
    if (incident.lookAgain && incident.recovery === null) draft.put({ ...incident, lookAgain: false });
  const job = draft.refreshJob({ servers: false, requestedAtMs: draft.nowMs });
  draft.enter({ kind: 'refreshing', sinceMs: draft.nowMs, job });
}

/**
 * The list of servers is from before somebody fell silent who runs nothing by it: it is read anew, once, before he is
 * left alone.
 */
export function readServersAnew(draft: Draft): void {
  const job = draft.refreshJob({ servers: true, requestedAtMs: draft.nowMs });
  draft.enter({ kind: 'refreshing', sinceMs: draft.nowMs, job });
}

/** Ends the round with a refusal; the next one comes with the monitor period. */
export function giveUpRound(draft: Draft, refusal: Refusal): void {
  raise(draft, refusal);
  rest(draft, draft.nowMs + draft.rules.monitorPeriodMs);
}

/** Ends the round; the next one comes when a heartbeat runs out, with the monitor period at the latest. */
export function endRound(draft: Draft, picture: Picture | null): void {
  const { nowMs, rules, state } = draft;
  if (picture === null) return rest(draft, nextCheckMs(nowMs, rules, null));
  const found = findSuspects(picture, nowMs, rules, recoveringHosts(state));
  const { suspects, perhapsEmpty, nextExpiryMs } = found;
  if (perhapsEmpty.length > 0) return readServersAnew(draft);
  // Who fell silent during the round is looked at now, not when somebody else's heartbeat runs out.
  const isNew = suspects.some((s) => draft.incident(s.hypervisor.host) === undefined);
  rest(draft, nextCheckMs(nowMs, rules, isNew ? nowMs : nextExpiryMs));
}

/** Watches until the next check; an operator's word that came during the round is not kept waiting. */
export function rest(draft: Draft, nextCheckAtMs: number): void {
  const isWaitedFor = draft.state.incidents.some((i) => i.lookAgain && i.recovery === null);
  draft.watchUntil(isWaitedFor ? draft.nowMs : nextCheckAtMs);
}

/**
 * A round stands on who was in recovery when it began. One that left out a host whose recovery came to nothing takes
 * the others for the only ones that are dead; one that is judging a host whose recovery was ordered meanwhile would
 * recover it twice.
 */
export function beginRoundAnew(draft: Draft): void {
  const phase = draft.hostsPhase;
  if (phase.kind === 'watching') return rest(draft, phase.nextCheckMs);
  draft.withdraw(phase.job);
  draft.watchUntil(draft.nowMs);
}
