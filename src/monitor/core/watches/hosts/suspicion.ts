// Who is suspicious: hypervisors with instances that no sense of the control plane hears any more. Pure.
import { type Hypervisor, wasHandled } from '../../../../shared/documents/inventory.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { heartbeatOf } from '../../../../shared/rules/senses/heartbeat.ts';
import { type Rules, shortestPauseMs } from '../../state/rules.ts';

export interface Suspect {
  readonly hypervisor: Hypervisor;
  /** Since when nothing was heard of it, by its agents and its nova-compute. */
  readonly silentMs: number;
}

export interface Suspicion {
  readonly suspects: readonly Suspect[];
  /** Handled by Sonny before (down, disabled with a reason that names sonny), yet Nova still has instances there. */
  readonly leftovers: readonly { host: string; instances: number }[];
  /** Suspects somebody disabled although they run instances: handled, but worth a warning. */
  readonly disabledWithInstances: readonly { host: string; instances: number }[];
  /** Silent ones that run nothing by a list of servers from before: one that was made shortly before may be there. */
  readonly perhapsEmpty: readonly string[];
  /** When the next heartbeat of a host not yet suspicious would run out; null when there is none. */
  readonly nextExpiryMs: number | null;
}

/**
 * The original's rule, with more senses: a hypervisor is suspicious when every sense of the control plane that can tell
 * of it is silent, and one can (rules/senses). Left out: hosts of which none can tell, hosts that run nothing, hosts
 * handled before, and those in `recovering`.
 */
export function findSuspects(
  picture: Picture,
  nowMs: number,
  rules: Pick<Rules, 'heartbeatPeriodMs'>,
  recovering: ReadonlySet<string>,
): Suspicion {
  const suspects: Suspect[] = [];
  const leftovers: { host: string; instances: number }[] = [];
  const perhapsEmpty: string[] = [];
  let nextExpiryMs: number | null = null;
  for (const hypervisor of picture.hypervisors) {
    const { says, heardAtMs, runsOutAtMs } = heartbeatOf(hypervisor.host, picture, nowMs, rules);
    if (says === 'cannot-tell' || recovering.has(hypervisor.host)) continue;
    const listed = picture.instancesOn(hypervisor.host);
    if (picture.mostInstancesOn(hypervisor.host) === 0) {
      const isOld = heardAtMs !== null && isOlderList(picture, heardAtMs + rules.heartbeatPeriodMs);
      if (says === 'silent' && isOld && !wasHandled(hypervisor)) perhapsEmpty.push(hypervisor.host);
      continue;
    }
    if (says === 'alive') {
      if (runsOutAtMs !== null) nextExpiryMs = Math.min(nextExpiryMs ?? runsOutAtMs, runsOutAtMs);
    } else if (wasHandled(hypervisor)) {
      if (listed > 0) leftovers.push({ host: hypervisor.host, instances: listed });
    } else {
      // Never heard at all (a row that is dead since before the first look): then for as long as a heartbeat is good.
      suspects.push({ hypervisor, silentMs: nowMs - (heardAtMs ?? nowMs - rules.heartbeatPeriodMs) });
    }
  }
  return {
    suspects,
    leftovers,
    perhapsEmpty,
    disabledWithInstances: suspects
      .filter((s) => s.hypervisor.status === 'disabled')
      .map((s) => ({
        host: s.hypervisor.host,
        instances: picture.instancesOn(s.hypervisor.host) || (s.hypervisor.runningVms ?? 0),
      })),
    nextExpiryMs,
  };
}

/**
 * Were the servers listed before `atMs`, and not along with the hosts? So each silence is worth one more reading,
 * whatever the clocks say.
 */
function isOlderList({ serversCollectedAtMs, collectedAtMs }: Picture, atMs: number): boolean {
  return (
    serversCollectedAtMs === null || (serversCollectedAtMs < atMs && serversCollectedAtMs < collectedAtMs)
  );
}

/**
 * Is it unknown whether the host is well? Nobody can tell of it now, and it has something to lose: what was said of it
 * before stands.
 */
export function isUntold(
  host: string,
  picture: Picture,
  nowMs: number,
  rules: Pick<Rules, 'heartbeatPeriodMs'>,
): boolean {
  if (picture.cellDown.includes(host)) return true;
  if (picture.hypervisor(host) === undefined || picture.mostInstancesOn(host) === 0) return false;
  return heartbeatOf(host, picture, nowMs, rules).says === 'cannot-tell';
}

/**
 * Hypervisors with instances that were not heard of since `sinceMs`, apart from those in `apart`. When several die
 * together their heartbeats run out one after another, up to a report interval apart: the first one must not be taken
 * for the only one.
 */
export function unheardSince(
  picture: Picture,
  sinceMs: number,
  apart: ReadonlySet<string>,
  nowMs: number,
  rules: Pick<Rules, 'heartbeatPeriodMs'>,
): Hypervisor[] {
  return picture.hypervisors.filter((h) => {
    const { heardAtMs, livedAtMs } = heartbeatOf(h.host, picture, nowMs, rules);
    return (
      heardAtMs !== null &&
      (livedAtMs === null || livedAtMs < sinceMs) &&
      !apart.has(h.host) &&
      !wasHandled(h) &&
      picture.mostInstancesOn(h.host) !== 0
    );
  });
}

/** When to look next: after the monitor period at the latest, sooner when a heartbeat would run out before. */
export function nextCheckMs(nowMs: number, rules: Rules, expiryMs: number | null): number {
  const latest = nowMs + rules.monitorPeriodMs;
  if (expiryMs === null) return latest;
  return Math.max(nowMs + Math.min(shortestPauseMs, rules.monitorPeriodMs), Math.min(latest, expiryMs));
}
