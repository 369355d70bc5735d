// Who can testify for a silent host, and who can testify that the scanner itself is not blind. Pure.

import { externalAddresses, type Hypervisor, type Server } from '../../../../shared/documents/inventory.ts';
import type { ScanTarget } from '../../../../shared/documents/jobs/scan.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { hostsPerPiece, type ServersWanted } from '../../../../shared/picture/reading.ts';
import { spread } from '../../../../shared/rules/controls.ts';
import { isHeard } from '../../../../shared/rules/senses/heartbeat.ts';
import { controlGuestCount, type Rules } from '../../state/rules.ts';

/** States in which a guest runs and could answer; the silence of a stopped or paused one proves nothing. */
const runningStates = new Set(['active', 'rescued', 'resized', 'error']);

/** Healthy hypervisors that are searched for control guests, where few guests have an address that can be reached. */
const mostSearched = 1_000;

interface Witnesses {
  readonly targets: readonly ScanTarget[];
  /** Target name, and the instance's name with its state when it does not run, for people. */
  readonly names: readonly { target: string; name: string }[];
  /** Is there one whose silence means something? */
  readonly canTestify: boolean;
}

/** All instances of a host with an address on an external network, each address and port probed. */
export function witnessesOf(host: string, picture: Picture, rules: Rules): Witnesses {
  const witnesses = picture
    .serversOf(host)
    .map((server) => ({ server, target: guestTarget(server, rules) }))
    .filter(({ target }) => target.endpoints.length > 0);
  return {
    targets: witnesses.map(({ target }) => target),
    names: witnesses.map(({ server, target }) => ({ target: target.name, name: titleOf(server) })),
    canTestify: witnesses.some(({ server }) => runningStates.has(server.vmState)),
  };
}

/** The silence of one that does not run is no evidence: it is named as such. */
function titleOf({ name, vmState }: Server): string {
  return runningStates.has(vmState) ? name : `${name} (${vmState})`;
}

/** Running guests of the healthy hypervisors that were read, of as many as possible, as controls of a guest scan. */
export function controlGuests(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): { target: ScanTarget; name: string }[] {
  const read = new Set(picture.hostsRead);
  const guests = healthyHosts(picture, unsuitable, nowMs, rules)
    .filter(({ host }) => read.has(host))
    .flatMap(({ host }) => picture.serversOf(host))
    .filter(({ vmState }) => vmState === 'active')
    .map((server) => ({ target: guestTarget(server, rules), name: server.name }))
    .filter(({ target }) => target.endpoints.length > 0);
  return spread(guests, controlGuestCount);
}

/**
 * Whose servers have to be read for that: pieces of hosts, each from all over the cloud, until the guests are enough.
 */
export function controlGuestsWanted(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): Pick<ServersWanted, 'sample' | 'enough'> {
  const hosts = spread(healthyHosts(picture, unsuitable, nowMs, rules), mostSearched).map((h) => h.host);
  const pieces = Math.ceil(hosts.length / hostsPerPiece);
  return {
    sample: Array.from({ length: pieces }, (_, piece) => hosts.filter((_, i) => i % pieces === piece)),
    enough: (seen) => controlGuests(seen, unsuitable, nowMs, rules).length >= controlGuestCount,
  };
}

/** Hypervisors with instances that were heard of just now. */
function healthyHosts(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): Hypervisor[] {
  return picture.hypervisors.filter(
    ({ host }) =>
      !unsuitable.has(host) && picture.instancesOn(host) > 0 && isHeard(host, picture, nowMs, rules),
  );
}

function guestTarget(server: Server, rules: Rules): ScanTarget {
  return {
    name: server.id,
    endpoints: externalAddresses(server).flatMap(({ address }) =>
      rules.instancePorts.map((port) => ({ address, port })),
    ),
  };
}
