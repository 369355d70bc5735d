// The control plane's own failure must never look like dead hosts: which parts of the cloud went stale together, and
// who of such a part has to answer before its silent hosts may be called dead. Pure; the monitor and ns4 ask alike.

import { type Hypervisor, isMarkedSpare, wasHandled } from '../documents/inventory.ts';
import type { ScanResult, ScanTarget } from '../documents/jobs/scan.ts';
import type { Refusal } from '../documents/refusals/refusals.ts';
import { type PartScope, scopeKey } from '../documents/terms/scope.ts';
import type { Picture } from '../picture/picture.ts';
import { type ControlRules, controlHosts, hostTarget, livingHosts, spread } from './controls.ts';
import { type Heartbeat, heartbeatOf } from './senses/heartbeat.ts';
import type { Says } from './senses/sense.ts';
import { vouchedSilence } from './votes.ts';

/** Most of a group is more than half of it, and at least this many: two of three may well die by themselves. */
const leastMost = 3;
/** A third of a group, and at least this many, needs a living member of the group that answers. */
const leastThird = 2;
/** Living members of each group that are probed along with a suspect. */
const controlsPerGroup = 3;
const mostGroupControls = 50;
/** Agents that report every 30 s and are late by 35 s are heard of within two periods of 40 s. */
const lateForPeriods = 2;

/** A part of the cloud whose agents or compute services are stale together. */
export interface Outage {
  readonly scope: PartScope;
  readonly of: 'agents' | 'compute services' | 'hypervisors';
  readonly stale: readonly string[];
  /** How many were counted: see `isCounted`. */
  readonly total: number;
  /** All hosts of the part. */
  readonly hosts: ReadonlySet<string>;
  /** Its hosts that are up and heard of, and have an address. */
  readonly living: readonly Hypervisor[];
}

export interface Outages {
  /** Nobody of these is judged: most are stale, or nobody is left who could answer. The whole cloud stands alone. */
  readonly failed: readonly Outage[];
  /** A third or more is stale: silent hosts of these are judged only when one of the living answers the same scan. */
  readonly doubtful: readonly Outage[];
}

/**
 * Looks at the whole cloud, then at each zone and aggregate. `recovering` are hosts with a recovery under way; they and
 * those that somebody took out of service say nothing about the control plane and are not counted.
 */
export function findOutages(
  picture: Picture,
  nowMs: number,
  rules: Pick<ControlRules, 'heartbeatPeriodMs'>,
  recovering: ReadonlySet<string>,
): Outages {
  const beats = new Map(picture.hypervisors.map((h) => [h, heartbeatOf(h.host, picture, nowMs, rules)]));
  const agentsOf = (h: Hypervisor) => agentsSay(beats.get(h), nowMs, rules);
  const failed: Outage[] = [];
  const doubtful: Outage[] = [];
  for (const { scope, members } of groupsOf(picture)) {
    const counted = members.filter((h) => isCounted(h, picture) && !recovering.has(h.host));
    const living = counted.filter(
      (h) => h.state === 'up' && h.address !== null && beats.get(h)?.says === 'alive',
    );
    const about = { scope, hosts: new Set(members.map((h) => h.host)), living };
    const withAgents = counted.filter((h) => agentsOf(h) !== 'cannot-tell');
    const agents = {
      ...about,
      of: 'agents' as const,
      ...shareOf(withAgents, (h) => agentsOf(h) === 'silent'),
    };
    const services = {
      ...about,
      of: 'compute services' as const,
      ...shareOf(counted, (h) => h.state === 'down' || !isReporting(beats.get(h), agentsOf(h))),
    };
    // Some have agents that fell silent, others nothing but a nova-compute that did: together they may be most.
    const heard = counted.filter((h) => beats.get(h)?.says !== 'cannot-tell');
    const hypervisors = {
      ...about,
      of: 'hypervisors' as const,
      ...shareOf(heard, (h) => beats.get(h)?.says === 'silent'),
    };
    const kinds = [agents, services, hypervisors];
    const most = kinds.find(isMost);
    const third = kinds.find(isThird);
    if (most) failed.push(most);
    else if (third) (living.length === 0 ? failed : doubtful).push(third);
    // Everything smaller is part of it.
    if (scope.kind === 'cloud' && failed.length > 0) break;
  }
  return { failed, doubtful };
}

/**
 * What the network agents of a host say of the control plane. While its nova-compute reports, agents that are late are no
 * outage: in a cloud under load many are at once. Nor is a missed beat of OVN: after a restart of northd or of the
 * southbound database they come back one by one.
 */
function agentsSay(
  heartbeat: Heartbeat | undefined,
  nowMs: number,
  { heartbeatPeriodMs }: Pick<ControlRules, 'heartbeatPeriodMs'>,
): Says {
  const reading = (name: string) => heartbeat?.readings.find(({ sense }) => sense.name === name)?.reading;
  const agents = reading('agents');
  const ovn = reading('ovn')?.says;
  const isReporting = reading('nova-report')?.says === 'alive';
  if (agents?.says === 'alive' || ovn === 'alive') return 'alive';
  if (agents?.says === 'silent') {
    const isLate = nowMs - (agents.heardAtMs ?? 0) <= lateForPeriods * heartbeatPeriodMs;
    return isReporting && isLate ? 'alive' : 'silent';
  }
  if (ovn !== 'silent') return 'cannot-tell';
  return isReporting ? 'alive' : 'silent';
}

/** Not where nothing but its report, which is old, could tell of the host: the others are judged by Nova's own word. */
const isReporting = (heartbeat: Heartbeat | undefined, agents: Says): boolean =>
  heartbeat?.says !== 'silent' || agents !== 'cannot-tell';

/**
 * Not those recovered before or forced down, nor those that are off in good order: disabled, empty and down, as in
 * maintenance or on their way to the scrap heap (a spare is none of these: it should be up). They would make every
 * later outage look larger than it is.
 */
function isCounted(h: Hypervisor, picture: Picture): boolean {
  const isEmpty = (h.runningVms ?? picture.mostInstancesOn(h.host)) === 0;
  const isRetired = h.state === 'down' && h.status === 'disabled' && isEmpty && !isMarkedSpare(h);
  return !h.forcedDown && !wasHandled(h) && !isRetired;
}

function shareOf(counted: readonly Hypervisor[], isStale: (h: Hypervisor) => boolean) {
  return { stale: counted.filter(isStale).map((h) => h.host), total: counted.length };
}

const isMost = ({ stale, total }: Pick<Outage, 'stale' | 'total'>): boolean =>
  stale.length >= leastMost && stale.length * 2 > total;
const isThird = ({ stale, total }: Pick<Outage, 'stale' | 'total'>): boolean =>
  stale.length >= leastThird && stale.length * 3 >= total;

/**
 * The hypervisors to probe along with `suspects`: some from all over the cloud, and living members of each zone and
 * aggregate that a suspect is in. These whether or not the group is doubtful yet: heartbeats run out one after another,
 * and a moment later it is the scan's answer that counts.
 */
export function controlsFor(
  suspects: ReadonlySet<string>,
  picture: Picture,
  nowMs: number,
  rules: ControlRules,
): ScanTarget[] {
  const controls = controlHosts(picture, suspects, nowMs, rules);
  const known = new Set(controls.map((control) => control.name));
  return [...controls, ...groupControls(picture, suspects, nowMs, rules).filter((c) => !known.has(c.name))];
}

function groupControls(
  picture: Picture,
  suspects: ReadonlySet<string>,
  nowMs: number,
  rules: ControlRules,
): ScanTarget[] {
  const living = new Set(livingHosts(picture, suspects, nowMs, rules));
  const chosen = new Set(
    groupsOf(picture)
      .filter(({ members }) => members.some((h) => suspects.has(h.host)))
      .flatMap(({ members }) =>
        spread(
          members.filter((h) => living.has(h)),
          controlsPerGroup,
        ),
      ),
  );
  return [...chosen].slice(0, mostGroupControls).map((h) => hostTarget(h.host, h.address, rules));
}

/**
 * The first doubtful part that `host` is in and of whose living members none answered `scan`; of a scan of several
 * vantage points, none answered so many of those that found `targets` silent as must agree.
 */
export function unansweredFor(
  host: string,
  { doubtful }: Outages,
  scan: ScanResult,
  targets: readonly string[],
): Outage | undefined {
  return doubtful.find(
    ({ hosts, living }) =>
      hosts.has(host) && !(scan.ok && vouchedSilence(scan, targets, [living.map((h) => h.host)])),
  );
}

/** The refusal of an outage; `hosts` are those it keeps from being judged, none for all of the cloud. */
export function outageRefusal(
  { scope, of, stale, total, living }: Outage,
  hosts: readonly string[],
): Refusal & { name: 'control-plane-suspect' } {
  const why = isMost({ stale, total }) ? 'most' : living.length === 0 ? 'nobody-to-ask' : 'no-answer';
  return { name: 'control-plane-suspect', scope, of, stale: [...stale], total, why, hosts: [...hosts] };
}

interface Part {
  readonly scope: PartScope;
  readonly members: Hypervisor[];
}

/** By the list of hypervisors, which is the same object for every picture of one refresh. */
const partsKnown = new WeakMap<readonly Hypervisor[], readonly Part[]>();

/**
 * The whole cloud first, then zones and aggregates; of several with the same hosts only the first. A round asks for
 * them some ten times, and 10,000 hypervisors take a while to sort out.
 */
function groupsOf({ hypervisors }: Picture): readonly Part[] {
  const known = partsKnown.get(hypervisors);
  if (known !== undefined) return known;
  const found = findParts(hypervisors);
  partsKnown.set(hypervisors, found);
  return found;
}

function findParts(hypervisors: readonly Hypervisor[]): Part[] {
  const parts = new Map<string, Part>();
  const join = (scope: PartScope, hypervisor: Hypervisor) => {
    const key = scopeKey(scope);
    const part = parts.get(key) ?? { scope, members: [] };
    part.members.push(hypervisor);
    parts.set(key, part);
  };
  for (const hypervisor of hypervisors) join({ kind: 'cloud' }, hypervisor);
  for (const hypervisor of hypervisors) join({ kind: 'zone', name: hypervisor.zone }, hypervisor);
  for (const hypervisor of hypervisors)
    for (const name of hypervisor.aggregates) join({ kind: 'aggregate', name }, hypervisor);
  const bySet = new Map<string, Part>();
  for (const part of parts.values()) {
    // All members stand in the order of the list: the same hosts make the same key.
    const key = part.members.map((h) => h.host).join('\n');
    if (!bySet.has(key)) bySet.set(key, part);
  }
  return [...bySet.values()];
}
