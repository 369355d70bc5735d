// Control hosts: healthy hypervisors probed along with every scan, so that a blind scanner is told from a silent host.
// The monitor chooses them for its scans, ns4 for an evacuation by hand. Pure.

import type { Hypervisor } from '../documents/inventory.ts';
import type { ScanTarget } from '../documents/jobs/scan.ts';
import type { Picture } from '../picture/picture.ts';
import { isHeard } from './senses/heartbeat.ts';

/** More would add traffic, not certainty. */
const controlHostCount = 5;

export interface ControlRules {
  readonly heartbeatPeriodMs: number;
  readonly hypervisorPorts: readonly number[];
}

/** Hypervisors beyond suspicion: up, with an address and heard of, and not in `unsuitable`. */
export function livingHosts(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: Pick<ControlRules, 'heartbeatPeriodMs'>,
): Hypervisor[] {
  return picture.hypervisors.filter(
    (h) =>
      h.state === 'up' &&
      h.address !== null &&
      !unsuitable.has(h.host) &&
      isHeard(h.host, picture, nowMs, rules),
  );
}

/** Some of the hypervisors beyond suspicion, spread over the cloud by name. */
export function controlHosts(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: ControlRules,
): ScanTarget[] {
  return spread(livingHosts(picture, unsuitable, nowMs, rules), controlHostCount).map((h) =>
    hostTarget(h.host, h.address, rules),
  );
}

/** A hypervisor under the ports config.ini names; no endpoints when Nova knows no address. */
export function hostTarget(
  host: string,
  address: string | null,
  rules: Pick<ControlRules, 'hypervisorPorts'>,
): ScanTarget {
  return {
    name: host,
    kind: 'host',
    endpoints: address === null ? [] : rules.hypervisorPorts.map((port) => ({ address, port })),
  };
}

/** `count` members, evenly spaced, so that one rack's or zone's names do not make up the whole sample. */
export function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all];
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] as T);
}
