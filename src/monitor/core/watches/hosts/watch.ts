// The watch over hypervisors, as a round of phases:
//
//   watching          until nextCheckMs, then asks for a refresh                                        (round.ts)
//   refreshing        picture -> suspects; none or too many: watching; else a scan of them with controls  (refreshed.ts)
//                     with the servers once more, where a silent host runs nothing by an older list of them
//   scanning-hosts    silent ones -> a refresh of the servers; none silent: watching                  (hosts-scanned.ts)
//   reading-servers   still silent? -> the witnesses of each silent host -> a scan of them with controls (servers-read.ts)
//   scanning-guests   all witnesses silent -> dead -> gates and plans decide -> recoveries; watching (guests-scanned.ts)
//
// Recoveries run beside the round. Every waiting phase ends on a tick once its contract's waitMs is over; an outcome
// whose id nobody waits for (late, doubled, of an earlier life) changes nothing.
import { contracts, type Finished } from '../../../../shared/documents/jobs/contracts.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { noServers } from '../../../../shared/picture/reading.ts';
import { clearPart } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';
import type { Watch } from '../../state/watch.ts';
import { onGuestsScanned } from './guests-scanned.ts';
import { onHostsScanned } from './hosts-scanned.ts';
import { onRefreshed, refreshFailure } from './refreshed.ts';
import { beginRound, beginRoundAnew, giveUpRound } from './round.ts';
import { onServersRead } from './servers-read.ts';
import { controlGuestsWanted } from './witnesses.ts';

export const hostsWatch: Watch = {
  name: 'hosts',

  awaited: ({ watches: { hosts } }) => (hosts.kind === 'watching' ? [] : [hosts.job]),

  dueAtMs: ({ watches: { hosts } }) =>
    hosts.kind === 'watching' ? hosts.nextCheckMs : hosts.sinceMs + contracts[hosts.job.name].waitMs + 1,

  tick(draft) {
    const phase = draft.hostsPhase;
    if (phase.kind === 'watching') {
      // Further off than one period: the clock was set back meanwhile, and nobody waits for it to come round again.
      const leftMs = phase.nextCheckMs - draft.nowMs;
      if (leftMs > 0 && leftMs <= draft.rules.monitorPeriodMs) return;
      return beginRound(draft);
    }
    const waitedMs = draft.nowMs - phase.sinceMs;
    // The clock was set back: the wait begins anew, or its limit would be as long as the jump.
    if (waitedMs < 0) return draft.enter({ ...phase, sinceMs: draft.nowMs });
    if (waitedMs <= contracts[phase.job.name].waitMs) return;
    draft.withdraw(phase.job);
    giveUpRound(draft, { name: 'worker-silent', job: phase.job.name, waitedMs });
  },

  beginAnew: beginRoundAnew,

  take(draft, finished, picture) {
    const { job } = finished;
    clearPart(draft, ({ refusal }) => refusal.name === 'worker-silent' && refusal.job === job);
    takeByPhase(draft, finished, picture);
  },

  wants({ watches: { hosts } }, finished) {
    if (finished.job === 'refresh-inventory' && refreshFailure(finished.outcome) !== null) return null;
    if (hosts.kind !== 'reading-servers') return () => noServers;
    // Those of the silent hosts, whose instances testify, and of enough healthy ones to have control guests.
    const silent = Object.keys(hosts.silent);
    return (picture, nowMs, rules) => ({
      hosts: silent,
      ...controlGuestsWanted(picture, new Set(silent), nowMs, rules),
    });
  },
};

function takeByPhase(draft: Draft, finished: Finished, picture: Picture | null): void {
  const phase = draft.hostsPhase;
  if (finished.job === 'refresh-inventory') {
    if (phase.kind === 'refreshing') onRefreshed(draft, finished.outcome, picture, phase);
    else if (phase.kind === 'reading-servers') onServersRead(draft, finished.outcome, picture, phase);
  } else if (finished.job === 'scan') {
    if (phase.kind === 'scanning-hosts') onHostsScanned(draft, finished.outcome, picture, phase);
    else if (phase.kind === 'scanning-guests') onGuestsScanned(draft, finished.outcome, picture, phase);
  }
}
