// Who is suspicious: hypervisors with instances all of whose network agents went silent. Pure.
import { type Hypervisor, wasHandled } from '../../../../shared/documents/inventory.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { type Rules, shortestPauseMs } from '../../state/rules.ts';

export interface Suspect {
  readonly hypervisor: Hypervisor;
  /** Age of the youngest heartbeat of the host. */
  readonly silentMs: number;
}

export interface Suspicion {
  readonly suspects: readonly Suspect[];
  /** Handled by Sonny before (down, disabled with a reason that names sonny), yet Nova still has instances there. */
  readonly leftovers: readonly { host: string; instances: number }[];
  /** Suspects somebody disabled although they run instances: handled, but worth a warning. */
  readonly disabledWithInstances: readonly { host: string; instances: number }[];
  /** When the next heartbeat of a host not yet suspicious would run out; null when there is none. */
  readonly nextExpiryMs: number | null;
}

/**
 * The original's rule: a hypervisor is suspicious when every agent of it has a heartbeat older than the heartbeat
 * period. Left out: hosts without agents, hosts that run nothing, hosts handled before, and those in `recovering`.
 */
export function findSuspects(
  picture: Picture,
  nowMs: number,
  rules: Pick<Rules, 'heartbeatPeriodMs'>,
  recovering: ReadonlySet<string>,
): Suspicion {
  const suspects: Suspect[] = [];
  const leftovers: { host: string; instances: number }[] = [];
  let nextExpiryMs: number | null = null;
  for (const hypervisor of picture.hypervisors) {
    const heartbeatAtMs = picture.newestHeartbeat(hypervisor.host);
    if (heartbeatAtMs === undefined || recovering.has(hypervisor.host)) continue;
    const listed = picture.instancesOn(hypervisor.host);
    // Nova's running_vms stays as it was on a dead host, and the list of servers may be 600 s old: either counts.
    if (hypervisor.runningVms === 0 && listed === 0) continue;
    const silentMs = nowMs - heartbeatAtMs;
    if (silentMs <= rules.heartbeatPeriodMs) {
      const expiryMs = heartbeatAtMs + rules.heartbeatPeriodMs + 1;
      nextExpiryMs = Math.min(nextExpiryMs ?? expiryMs, expiryMs);
    } else if (wasHandled(hypervisor)) {
      if (listed > 0) leftovers.push({ host: hypervisor.host, instances: listed });
    } else {
      suspects.push({ hypervisor, silentMs });
    }
  }
  return {
    suspects,
    leftovers,
    disabledWithInstances: suspects
      .filter((s) => s.hypervisor.status === 'disabled')
      .map((s) => ({
        host: s.hypervisor.host,
        instances: picture.instancesOn(s.hypervisor.host) || s.hypervisor.runningVms,
      })),
    nextExpiryMs,
  };
}

/**
 * Hypervisors with instances that were not heard of since `sinceMs`, apart from those in `apart`. When several die
 * together their heartbeats run out one after another, up to a report interval apart: the first one must not be taken
 * for the only one.
 */
export function unheardSince(picture: Picture, sinceMs: number, apart: ReadonlySet<string>): Hypervisor[] {
  return picture.hypervisors.filter((h) => {
    const heardAtMs = picture.newestHeartbeat(h.host);
    return (
      heardAtMs !== undefined &&
      heardAtMs < sinceMs &&
      !apart.has(h.host) &&
      !wasHandled(h) &&
      (h.runningVms > 0 || picture.instancesOn(h.host) > 0)
    );
  });
}

/** When to look next: after the monitor period at the latest, sooner when a heartbeat would run out before. */
export function nextCheckMs(nowMs: number, rules: Rules, expiryMs: number | null): number {
  const latest = nowMs + rules.monitorPeriodMs;
  if (expiryMs === null) return latest;
  return Math.max(nowMs + Math.min(shortestPauseMs, rules.monitorPeriodMs), Math.min(latest, expiryMs));
}
