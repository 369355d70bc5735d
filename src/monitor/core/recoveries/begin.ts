// From dead hosts to recoveries: gates, then a plan by the method of each, then the jobs. Pure.
import { recoverJobId } from '../../../shared/documents/assignments.ts';
import { operatorsReason } from '../../../shared/documents/inventory.ts';
import { type Refusal, refusalEntry } from '../../../shared/documents/refusals/refusals.ts';
import { recoveryId } from '../../../shared/documents/terms/incident-id.ts';
import { type Plan, targetHosts, targetsOf } from '../../../shared/documents/terms/plan.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { controlsFor } from '../../../shared/rules/control-plane.ts';
import { askGates } from '../../../shared/rules/gates/gate.ts';
import { type Case, recoveryGates } from '../../../shared/rules/gates/recovery-gates.ts';
import { policyOf } from '../../../shared/rules/policy.ts';
import { openIncident } from '../incidents/incidents.ts';
import { raise } from '../incidents/raised.ts';
import { methods } from '../plans/methods.ts';
import type { Draft } from '../state/draft.ts';
import { type Incident, type Recovery, recoveriesOf } from '../state/state.ts';
import { stampCooldown } from './cooldown.ts';

/** A recovery not begun within this time is refused by ns4, an order not taken by then by the monitor: it is old. */
export const startWithinMs = 120_000;

/** A hypervisor judged dead, with what that rests on, as sentences. */
export interface DeadHost {
  readonly host: string;
  readonly evidence: readonly string[];
  /** The scan targets whose silence testifies. */
  readonly witnesses: readonly string[];
  /** No vantage point ever heard the host itself, so that only its guests testified. */
  readonly neverHeard: boolean;
}

/** What a recovery rests on. */
type Found = Pick<DeadHost, 'evidence' | 'neverHeard'>;

/** An operator's order to recover, as far as it changes how a recovery begins. */
interface ByHand {
  readonly order: string;
  readonly target: string | null;
  readonly despite: readonly string[];
}

/** Recovers the dead hosts that the gates let pass and that a plan was found for; every other one gets its refusal. */
export function recoverTheDead(
  draft: Draft,
  dead: readonly DeadHost[],
  perhapsDead: readonly string[],
  picture: Picture,
): void {
  // Whoever works at a host expects it to be silent: it counts for no limit, and keeps nobody else from recovery.
  const left = dead.flatMap(({ host }) => {
    const refusal = leftAlone(draft, host, picture, []);
    return refusal === null ? [] : [{ host, refusal }];
  });
  for (const { refusal } of left) raise(draft, refusal);
  for (const found of dead) if (!left.some(({ host }) => host === found.host)) tellDeath(draft, found);
  const names = dead.map(({ host }) => host).filter((host) => !left.some((one) => one.host === host));
  if (names.length === 0) return;
  const refusal = refusalByGates(draft, names, perhapsDead, picture, []);
  if (refusal !== null) return raise(draft, refusal);
  for (const { host, outcome } of plansFor(draft, names, picture, null)) {
    if ('name' in outcome) raise(draft, outcome);
    else
      beginRecovery(
        draft,
        openIncident(draft, host, 'dead'),
        outcome,
        foundOf(dead, host),
        names,
        picture,
        null,
      );
  }
}

/** Said once: later rounds find the same host under what stands since. */
function tellDeath(draft: Draft, { host, evidence }: DeadHost): void {
  const incident = openIncident(draft, host, 'silent');
  const { raised } = incident;
  const isTold = raised !== null && (raised.by === 'ns4' || refusalEntry(raised.refusal).stage === 'death');
  if (!isTold) draft.say({ kind: 'host-dead', host, evidence: [...evidence] });
  draft.put({ ...incident, stage: 'dead' });
}

const foundOf = (dead: readonly DeadHost[], host: string): Found =>
  dead.find((d) => d.host === host) ?? { evidence: [], neverHeard: false };

/** Is an operator at work at the host? Then it is left to him, unless he (or the configuration) says otherwise. */
export function leftAlone(
  draft: Draft,
  host: string,
  picture: Picture,
  despite: readonly string[],
): Refusal | null {
  const { disabledHosts } = policyOf(host, draft.rules);
  const hypervisor = picture.hypervisor(host);
  const reason = hypervisor === undefined ? null : operatorsReason(hypervisor);
  if (reason === null || disabledHosts === 'recover' || despite.includes('operator-at-work')) return null;
  return { name: 'operator-at-work', host, reason, meanwhile: false };
}

/** What the monitor's gates say of recovering these hosts now. */
export function refusalByGates(
  draft: Draft,
  hosts: readonly string[],
  perhapsDead: readonly string[],
  picture: Picture,
  despite: readonly string[],
): Refusal | null {
  const { nowMs, rules, state } = draft;
  const about: Case = {
    hosts,
    perhapsDead,
    untold: perhapsDead.filter((host) => draft.incident(host) === undefined),
    recovering: recoveriesOf(state).length,
    safeMode: state.safeMode,
    cooldown: state.cooldown,
    nowMs,
  };
  return askGates(recoveryGates, about, picture, policyOf(hosts[0] ?? '', rules), despite);
}

/** A plan or a refusal for each host, by the method of its policy. */
export function plansFor(draft: Draft, hosts: readonly string[], picture: Picture, target: string | null) {
  const { nowMs, rules, state } = draft;
  const taken = new Set(recoveriesOf(state).flatMap(({ recovery }) => targetHosts(recovery.plan)));
  const policy = policyOf(hosts[0] ?? '', rules);
  return methods[policy.method]({ dead: hosts, picture, taken, nowMs, policy, target });
}

/** Begins a recovery, with the cooldown stamped in the same state (so before the job leaves). */
export function beginRecovery(
  draft: Draft,
  incident: Incident,
  plan: Plan,
  found: Found,
  dead: readonly string[],
  picture: Picture,
  byHand: ByHand | null,
): void {
  const { nowMs, rules, state } = draft;
  const host = incident.subject.name;
  const number = incident.recoveries + 1;
  const id = recoveryId(incident.id, number);
  const job = {
    name: 'recover' as const,
    id: recoverJobId(id, 1),
    data: {
      incident: incident.id,
      recovery: id,
      dead: host,
      plan,
      attempt: 1,
      epoch: state.epoch,
      requestedAtMs: nowMs,
      startByMs: nowMs + startWithinMs,
      judgedAtMs: nowMs,
      evidence: [...found.evidence],
      address: picture.hypervisor(host)?.address ?? null,
      controls: controlsFor(new Set(dead), picture, nowMs, rules),
      instancePorts: [...rules.instancePorts],
      proofDemanded: rules.fencing === 'required',
      cutOffDemanded: rules.asksDisks,
      judgedByGuests: found.neverHeard,
      despite: [...(byHand?.despite ?? [])],
      byHand: byHand !== null,
      sonny: state.life,
    },
  };
  const recovery: Recovery = {
    id,
    number,
    plan,
    sinceMs: nowMs,
    job,
    retryAtMs: null,
    order: byHand?.order ?? null,
  };
  // Those that begin together share the stamp.
  stampCooldown(draft, id);
  // ns4 refused it before: it is asked again every round, but only a changed answer is worth a word.
  const isQuiet = byHand === null && incident.raised?.by === 'ns4';
  draft.put({
    ...incident,
    stage: 'recovering',
    recoveries: number,
    recovery,
    raised: isQuiet ? incident.raised : null,
    lookAgain: false,
  });
  if (isQuiet) return;
  const targets = targetsOf(plan);
  draft.say({
    kind: 'recovery-requested',
    incident: incident.id,
    recovery: id,
    host,
    targets,
    order: byHand?.order ?? null,
  });
}
