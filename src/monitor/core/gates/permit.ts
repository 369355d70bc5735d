// May the dead be recovered now, and onto which spares? The last guards before anything is done. Pure.

import { evacuateJobId } from '../../../shared/documents/assignments.ts';
import { incidentId } from '../../../shared/documents/incident-id.ts';
import type { RefusalName } from '../../../shared/documents/refusals/refusals.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { controlsFor } from '../../../shared/rules/control-plane.ts';
import { assignSpares } from '../plans/spares.ts';
import type { Recovery } from '../state.ts';
import type { Turn } from '../step-draft.ts';
import type { DeadHost } from '../watches/hosts/verdict.ts';

/** An evacuation not begun within this time is refused by ns4: its evidence is old by then. */
const startWithinMs = 120_000;

/**
 * Starts the recoveries that are permitted, with the cooldown stamped in the same state (so before any job leaves);
 * every other dead host gets its refusal. The order of the guards is the original's: limit, cooldown, spare;
 * before them a hold, as then nobody knows whether there is a cooldown.
 * `perhapsDead` count for the limit, as it must hold however far apart the heartbeats of hosts that die together run out.
 */
export function permit(
  turn: Turn,
  dead: readonly DeadHost[],
  perhapsDead: readonly string[],
  picture: Picture,
): void {
  const { nowMs, rules, state } = turn;
  const names = dead.map((d) => d.host);
  for (const { host, evidence } of dead) {
    const standing = state.standing[host];
    // Said once: later rounds find the same host under one of the refusals below.
    if (standing === undefined || !afterDeath.has(standing.name))
      turn.say({ kind: 'host-dead', host, evidence: [...evidence] });
  }
  if (rules.deadBackoff === 0) return turn.refuse({ name: 'dry-mode', hosts: names });
  if (state.hold !== null) return turn.refuse({ name: 'state-lost', hosts: names, why: state.hold.why });
  if (dead.length + state.recoveries.length > rules.deadBackoff)
    return turn.refuse({ name: 'too-many-dead', hosts: names, limit: rules.deadBackoff });
  // Within the limit those of whom nobody was told yet are waited for as well: they die together, and whoever is recovered
  // first would leave the others to the cooldown.
  const untold = perhapsDead.filter((host) => state.standing[host] === undefined);
  const all = dead.length + perhapsDead.length + state.recoveries.length;
  if (all > rules.deadBackoff || untold.length > 0)
    return turn.refuse({
      name: 'perhaps-more-dead',
      hosts: names,
      others: [...perhapsDead],
      limit: rules.deadBackoff,
    });
  if (state.cooldown !== null && nowMs < state.cooldown.sinceMs + rules.cooldownMs) {
    const { sinceMs } = state.cooldown;
    for (const host of names)
      turn.refuse({ name: 'cooldown', host, sinceMs, untilMs: sinceMs + rules.cooldownMs });
    return;
  }
  const taken = new Set(state.recoveries.map((r) => r.spare));
  const assignment = assignSpares(names, picture, taken, nowMs, rules);
  for (const { dead: host, candidates } of assignment.missing)
    turn.refuse({ name: 'no-spare', host, candidates: [...candidates] });
  if (assignment.pairs.length === 0) return;
  const controls = controlsFor(new Set(names), picture, nowMs, rules);
  const started: Recovery[] = assignment.pairs.map((pair) => {
    const incident = incidentId(nowMs, pair.dead);
    const evidence = dead.find((d) => d.host === pair.dead)?.evidence ?? [];
    const data = {
      incident,
      dead: pair.dead,
      spare: pair.spare,
      attempt: 1,
      epoch: state.epoch,
      requestedAtMs: nowMs,
      startByMs: nowMs + startWithinMs,
      judgedAtMs: nowMs,
      evidence: [...evidence],
      address: picture.hypervisor(pair.dead)?.address ?? null,
      controls,
      proofDemanded: turn.rules.fencing === 'required',
    };
    const job = { name: 'evacuate' as const, id: evacuateJobId(incident, 1), data };
    return { incident, dead: pair.dead, spare: pair.spare, sinceMs: nowMs, job, retryAtMs: null };
  });
  state.cooldown = { sinceMs: nowMs, incidents: started.map((r) => r.incident) };
  state.recoveries.push(...started);
  for (const { incident, dead: host, spare } of started) {
    // ns4 refused it before: it is asked again every round, but only a changed answer is worth a word.
    if (isNs4Refusal(state.standing[host]?.name)) continue;
    turn.forget(host);
    turn.say({ kind: 'evacuation-requested', incident, dead: host, spare });
  }
}

const ns4Refusals = new Set<string>([
  'came-back',
  'spare-unfit',
  'already-recovering',
  'too-late',
  'api-unavailable',
  'unknown-host',
  'fence-failed',
] satisfies RefusalName[]);
const isNs4Refusal = (name: string | undefined) => name !== undefined && ns4Refusals.has(name);
const afterDeath = new Set<string>([
  'dry-mode',
  'state-lost',
  'too-many-dead',
  'perhaps-more-dead',
  'cooldown',
  'no-spare',
  ...ns4Refusals,
]);
