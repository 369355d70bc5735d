// The monitor's state machine: (state, input, rules) -> what is so now, what to say, which jobs to ask for. Pure.
//
//   watching            until nextCheckMs, then asks for a refresh
//   refreshing          inventory -> suspects; none or too many: watching; else a scan of the suspects with controls
//   scanning-hosts      silent ones -> a refresh of the servers; none silent: watching
//   refreshing-servers  still silent? -> the witnesses of each silent host -> a scan of them with controls
//   scanning-guests     all witnesses silent -> dead -> permit.ts decides -> recoveries; watching
//
// Recoveries run beside the round: the monitor keeps watching meanwhile. Every waiting phase ends on a tick once its
// contract's waitMs is over; an outcome whose id nobody waits for (late, doubled, of an earlier life) changes nothing.

import { contracts, type JobOutcome } from '../../shared/documents/jobs/contracts.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { controlsFor } from '../../shared/rules/control-plane.ts';
import { hostTarget } from '../../shared/rules/controls.ts';
import { permit } from './gates/permit.ts';
import { beginLeading } from './leading.ts';
import { obey } from './orders.ts';
import { refreshFailure } from './picture-needs.ts';
import { continueRecovery, endLostRecoveries, startWaitingAttempts } from './recoveries/recoveries.ts';
import { judgeBeginning } from './safe-mode.ts';
import { freshMs, type Input, type Output, type Phase, type Rules, type State } from './state.ts';
import { cloudScope, Turn } from './step-draft.ts';
import { lookForOutages, vouchedFor } from './watches/hosts/outages.ts';
import { findSuspects, nextCheckMs, unheardSince } from './watches/hosts/suspicion.ts';
import { judgeWitnesses, silentBystanders, silentOnes } from './watches/hosts/verdict.ts';
import { controlGuests, witnessesOf } from './watches/hosts/witnesses.ts';

type Outcome = Extract<Input, { kind: 'outcome' }>;
type Refreshed = JobOutcome<'refresh-inventory'>;
type Scanned = JobOutcome<'scan'>;

export function step(state: State, input: Input, rules: Rules): Output {
  const turn = new Turn(state, input.atMs, rules);
  switch (input.kind) {
    case 'tick':
      onTick(turn);
      break;
    case 'leads':
      beginLeading(turn, input);
      break;
    case 'order':
      obey(turn, input.order);
      break;
    case 'outcome':
      onOutcome(turn, input);
      break;
  }
  return turn.output();
}

function onTick(turn: Turn): void {
  startWaitingAttempts(turn);
  endLostRecoveries(turn);
  const { phase } = turn.state;
  if (phase.kind === 'watching') {
    // Further off than one period: the clock was set back meanwhile, and nobody waits for it to come round again.
    const leftMs = phase.nextCheckMs - turn.nowMs;
    if (leftMs > 0 && leftMs <= turn.rules.monitorPeriodMs) return;
    const job = turn.refreshJob({ servers: false, requestedAtMs: turn.nowMs });
    turn.enter({ kind: 'refreshing', sinceMs: turn.nowMs, job });
    return;
  }
  const waitedMs = turn.nowMs - phase.sinceMs;
  // The clock was set back: the wait begins anew, or its limit would be as long as the jump.
  if (waitedMs < 0) return turn.enter({ ...phase, sinceMs: turn.nowMs });
  if (waitedMs <= contracts[phase.job.name].waitMs) return;
  turn.withdraw(phase.job);
  giveUpRound(turn, { name: 'worker-silent', job: phase.job.name, waitedMs });
}

function onOutcome(turn: Turn, { finished, picture }: Outcome): void {
  if (finished.outcome.state === 'waiting' || finished.outcome.state === 'running') return;
  const { phase } = turn.state;
  const isAwaited = phase.kind !== 'watching' && phase.job.id === finished.id;
  switch (finished.job) {
    case 'evacuate': {
      const recovery = turn.state.recoveries.find((r) => r.job.id === finished.id && r.retryAtMs === null);
      if (recovery) continueRecovery(turn, recovery, finished.outcome);
      return;
    }
    case 'refresh-inventory':
      if (!isAwaited) return;
      if (phase.kind === 'refreshing') onRefreshed(turn, finished.outcome, picture);
      else if (phase.kind === 'refreshing-servers')
        onServersRefreshed(turn, finished.outcome, picture, phase);
      return;
    case 'scan':
      if (!isAwaited) return;
      if (phase.kind === 'scanning-hosts') onHostsScanned(turn, finished.outcome, picture, phase);
      else if (phase.kind === 'scanning-guests') onGuestsScanned(turn, finished.outcome, picture, phase);
      return;
  }
}

/** Ends the round with a refusal; the next one comes with the monitor period. */
function giveUpRound(turn: Turn, refusal: Refusal): void {
  turn.refuse(refusal);
  turn.watchUntil(turn.nowMs + turn.rules.monitorPeriodMs);
}

/** Ends the round; the next one comes when a heartbeat runs out, with the monitor period at the latest. */
function endRound(turn: Turn, picture: Picture | null): void {
  if (picture === null) return turn.watchUntil(nextCheckMs(turn.nowMs, turn.rules, null));
  const { suspects, nextExpiryMs } = findSuspects(picture, turn.nowMs, turn.rules, recoveringHosts(turn));
  // Who fell silent during the round is looked at now, not when somebody else's heartbeat runs out.
  const isNew = suspects.some((s) => turn.state.standing[s.hypervisor.host] === undefined);
  turn.watchUntil(nextCheckMs(turn.nowMs, turn.rules, isNew ? turn.nowMs : nextExpiryMs));
}

function onRefreshed(turn: Turn, outcome: Refreshed, picture: Picture | null): void {
  const failure = refreshFailure(outcome);
  if (failure !== null || picture === null)
    return giveUpRound(turn, { name: 'inventory-unavailable', detail: failure ?? unread });
  const ageMs = Math.abs(turn.nowMs - picture.collectedAtMs);
  if (ageMs > freshMs) return giveUpRound(turn, { name: 'inventory-stale', ageMs, limitMs: freshMs });
  judgeBeginning(turn, picture);
  const suspicion = findSuspects(picture, turn.nowMs, turn.rules, recoveringHosts(turn));
  const next = nextCheckMs(turn.nowMs, turn.rules, suspicion.nextExpiryMs);
  const outages = lookForOutages(turn, picture);
  if (outages.everywhere) return turn.watchUntil(next);
  if (turn.state.standing[cloudScope]?.name !== 'too-many-suspects') turn.clear(cloudScope);

  const suspects = suspicion.suspects.filter((s) => !outages.refused.has(s.hypervisor.host));
  const serversTellOfNow = (picture.serversCollectedAtMs ?? 0) > turn.state.recoveryEndedMs;
  const leftovers = serversTellOfNow ? suspicion.leftovers : [];
  const about = new Set([
    ...recoveringHosts(turn),
    ...suspicion.suspects.map((s) => s.hypervisor.host),
    ...leftovers.map((l) => l.host),
    ...outages.failed.map((outage) => outage.scope),
  ]);
  for (const scope of Object.keys(turn.state.standing))
    if (scope !== cloudScope && !about.has(scope)) turn.clear(scope);
  for (const { host, instances } of leftovers)
    turn.refuse({ name: 'already-handled', host, servers: instances });

  if (suspects.length > turn.rules.suspiciousBackoff) {
    turn.state.backoffs += 1;
    const names = suspects.map((s) => s.hypervisor.host);
    turn.refuse({ name: 'too-many-suspects', suspects: names, limit: turn.rules.suspiciousBackoff });
    return turn.watchUntil(next);
  }
  if (turn.state.backoffs > 0 && suspicion.suspects.length === 0) {
    // The original's rule: quiet while backing off, and its end is told with the number of rounds.
    turn.say({ kind: 'backoff-over', rounds: turn.state.backoffs });
    turn.state.backoffs = 0;
    turn.forget(cloudScope);
  }
  if (suspects.length === 0) return turn.watchUntil(next);

  const newSuspects = suspects.filter((s) => turn.note(s.hypervisor.host, 'suspect'));
  if (newSuspects.length > 0)
    turn.say({
      kind: 'suspects-found',
      hosts: newSuspects.map((s) => ({ host: s.hypervisor.host, silentMs: s.silentMs })),
    });
  for (const { host, instances } of suspicion.disabledWithInstances)
    if (newSuspects.some((s) => s.hypervisor.host === host))
      turn.say({ kind: 'disabled-with-instances', host, instances });
  const scannable = suspects.filter((s) => s.hypervisor.address !== null);
  for (const { hypervisor } of suspects)
    if (hypervisor.address === null) turn.refuse({ name: 'no-address', host: hypervisor.host });
  if (scannable.length === 0) return turn.watchUntil(next);
  const unsuitable = new Set(suspects.map((s) => s.hypervisor.host));
  const job = turn.scanJob({
    targets: scannable.map((s) => hostTarget(s.hypervisor.host, s.hypervisor.address, turn.rules)),
    controls: controlsFor(unsuitable, picture, turn.nowMs, turn.rules),
    requestedAtMs: turn.nowMs,
  });
  turn.enter({
    kind: 'scanning-hosts',
    sinceMs: turn.nowMs,
    job,
    suspects: scannable.map((s) => s.hypervisor.host),
  });
}

function onHostsScanned(
  turn: Turn,
  outcome: Scanned,
  picture: Picture | null,
  phase: Phase & { kind: 'scanning-hosts' },
): void {
  const found = silentOnes(turn, outcome, phase.suspects);
  const itself = Object.fromEntries(Object.keys(found).map((host) => [host, [host]]));
  const judged = vouchedFor(turn, picture, outcome, itself);
  const silent = Object.fromEntries(Object.entries(found).filter(([host]) => judged.has(host)));
  if (judged.size === 0) return endRound(turn, picture);
  const suspectedAtMs = Math.max(
    ...Object.keys(silent).map((host) => turn.state.standing[host]?.firstMs ?? phase.sinceMs),
  );
  const news = Object.entries(silent).filter(([host]) => turn.noteSilent(host));
  if (news.length > 0)
    turn.say({ kind: 'hosts-silent', hosts: news.map(([host, detail]) => ({ host, detail })) });
  const job = turn.refreshJob({ servers: true, requestedAtMs: turn.nowMs });
  turn.enter({ kind: 'refreshing-servers', sinceMs: turn.nowMs, suspectedAtMs, job, silent });
}

function onServersRefreshed(
  turn: Turn,
  outcome: Refreshed,
  picture: Picture | null,
  phase: Phase & { kind: 'refreshing-servers' },
): void {
  const { nowMs, rules } = turn;
  const trouble = refreshFailure(outcome) ?? serversTrouble(picture, phase.sinceMs);
  if (trouble !== null || picture === null)
    return giveUpRound(turn, { name: 'servers-unavailable', detail: trouble ?? unread });

  // The refresh brought heartbeats too: who is heard again meanwhile is no suspect any more.
  const still = new Set(
    findSuspects(picture, nowMs, rules, recoveringHosts(turn)).suspects.map((s) => s.hypervisor.host),
  );
  const { everywhere, refused } = lookForOutages(turn, picture);
  if (everywhere) return endRound(turn, picture);
  const silent: Record<string, string> = {};
  const witnesses: (Phase & { kind: 'scanning-guests' })['witnesses'] = {};
  const unwitnessed: string[] = [];
  const targets = [];
  for (const [host, finding] of Object.entries(phase.silent)) {
    const servers = picture.instancesOn(host);
    const found = witnessesOf(host, picture, rules);
    if (refused.has(host)) continue;
    if (servers === 0) turn.refuse({ name: 'nothing-to-recover', host });
    else if (!still.has(host)) turn.clear(host);
    else if (!found.canTestify && rules.fencing === 'none')
      turn.refuse({ name: 'no-witness', host, servers });
    else {
      silent[host] = finding;
      witnesses[host] = [...found.names];
      targets.push(...found.targets);
      if (found.canTestify) continue;
      unwitnessed.push(host);
      const address = picture.hypervisor(host)?.address ?? null;
      targets.push(hostTarget(host, address, rules));
    }
  }
  if (Object.keys(silent).length === 0) return endRound(turn, picture);
  const unsuitable = new Set([...Object.keys(phase.silent), ...still]);
  const guests = controlGuests(picture, unsuitable, nowMs, rules);
  const controls = [...controlsFor(unsuitable, picture, nowMs, rules), ...guests.map(({ target }) => target)];
  // Who was silent to the host scan has been judged by itself, or is about to be.
  const apart = new Set([...Object.keys(phase.silent), ...recoveringHosts(turn), ...refused]);
  const bystanders = unheardSince(picture, phase.suspectedAtMs, apart);
  targets.push(...bystanders.map((h) => hostTarget(h.host, h.address, rules)));
  const job = turn.scanJob({ targets, controls, requestedAtMs: nowMs });
  turn.enter({
    kind: 'scanning-guests',
    sinceMs: nowMs,
    job,
    silent,
    witnesses,
    controlGuests: guests.map(({ target, name }) => ({ target: target.name, name })),
    bystanders: bystanders.map((h) => h.host),
    unwitnessed,
  });
}

function onGuestsScanned(
  turn: Turn,
  outcome: Scanned,
  picture: Picture | null,
  phase: Phase & { kind: 'scanning-guests' },
): void {
  const found = judgeWitnesses(turn, outcome, phase);
  const testimony = Object.fromEntries(found.map((d) => [d.host, d.witnesses]));
  const judged = vouchedFor(turn, picture, outcome, testimony);
  const dead = found.filter((d) => judged.has(d.host));
  const ageMs = turn.nowMs - (picture?.serversCollectedAtMs ?? 0);
  if (dead.length > 0 && (picture === null || Math.abs(ageMs) > freshMs)) {
    return giveUpRound(turn, { name: 'servers-unavailable', detail: 'they are no longer fresh' });
  }
  if (dead.length > 0 && picture !== null) permit(turn, dead, silentBystanders(outcome, phase), picture);
  endRound(turn, picture);
}

/** Why there is no picture although the refresh went well. */
const unread = 'Redis holds none that can be read';

/** Servers collected before this phase began would judge by the past (defect 3 of the original). */
function serversTrouble(picture: Picture | null, sinceMs: number): string | null {
  if (picture === null) return unread;
  const collectedAtMs = picture.serversCollectedAtMs;
  if (collectedAtMs === null) return 'there is none';
  // ns4's clock may run a little behind the monitor's; more than a minute is told apart as stale.
  return collectedAtMs < sinceMs - freshMs ? 'it is the one from before' : null;
}

function recoveringHosts(turn: Turn): Set<string> {
  return new Set(turn.state.recoveries.map((r) => r.dead));
}
