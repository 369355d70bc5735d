// Who can testify for a silent host, and who can testify that the scanner itself is not blind. Pure.

import type { Hypervisor, Server } from '../../../../shared/documents/inventory.ts';
import type { ScanTarget } from '../../../../shared/documents/jobs/scan.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { hostsPerPiece, type ServersWanted } from '../../../../shared/picture/reading.ts';
import { spread } from '../../../../shared/rules/controls.ts';
import {
  type GuestNetwork,
  guestNetworks,
  guestTarget,
  type Standing,
  standingOf,
} from '../../../../shared/rules/guests.ts';
import { isHeard } from '../../../../shared/rules/senses/heartbeat.ts';
import { controlGuestCount, controlGuestsPerNetwork, type Rules } from '../../state/rules.ts';

/** Healthy hypervisors that are searched for control guests, where few guests have an address that can be reached. */
const mostSearched = 1_000;

interface Witness {
  readonly target: ScanTarget;
  /** Its name, with the reason when its silence says nothing. */
  readonly name: string;
  /** Does its silence mean something? */
  readonly testifies: boolean;
  readonly networks: readonly GuestNetwork[];
}

interface Witnesses {
  readonly asked: readonly Witness[];
  /** Instances that may run elsewhere, by name with the task: whatever they answer, it is not asked for. */
  readonly moving: readonly string[];
}

/** The instances of a host with an address on an external network, each address and port to be probed. */
export function witnessesOf(host: string, picture: Picture, rules: Pick<Rules, 'instancePorts'>): Witnesses {
  const reachable = picture
    .serversOf(host)
    .map((server) => ({
      server,
      standing: standingOf(server),
      target: guestTarget(server, rules.instancePorts),
    }))
    .filter(({ target }) => target.endpoints.length > 0);
  const isMoving = ({ standing }: { readonly standing: Standing }) => standing.tells === 'nothing';
  return {
    asked: reachable
      .filter((guest) => !isMoving(guest))
      .map(({ server, standing, target }) => ({
        target,
        name: standing.title,
        testifies: standing.tells === 'testifies',
        networks: guestNetworks(server),
      })),
    moving: reachable.filter(isMoving).map(({ standing }) => standing.title),
  };
}

/** A running guest elsewhere, asked along so that silence can be told from a dark network. */
interface ControlGuest {
  readonly target: ScanTarget;
  readonly name: string;
  /** Ids of the networks that it can be asked on. */
  readonly networks: readonly string[];
}

/**
 * Running guests of the healthy hypervisors that were read, as controls of a guest scan: some on each of `networks`,
 * where there are any, and of as many hypervisors as possible.
 */
export function controlGuests(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  networks: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): ControlGuest[] {
  const guests = runningGuests(picture, unsuitable, nowMs, rules);
  const chosen = new Set<ControlGuest>();
  for (const network of networks)
    for (const guest of spread(
      guests.filter((g) => g.networks.includes(network)),
      controlGuestsPerNetwork,
    ))
      chosen.add(guest);
  const others = guests.filter((guest) => !chosen.has(guest));
  return [...chosen, ...spread(others, Math.max(0, controlGuestCount - chosen.size))];
}

function runningGuests(
  picture: Picture,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): ControlGuest[] {
  const read = new Set(picture.hostsRead);
  return healthyHosts(picture, unsuitable, nowMs, rules)
    .filter(({ host }) => read.has(host))
    .flatMap(({ host }) => picture.serversOf(host))
    .filter((server) => standingOf(server).tells === 'testifies')
    .map((server) => ({
      target: guestTarget(server, rules.instancePorts),
      name: server.name,
      networks: guestNetworks(server).map(({ id }) => id),
    }))
    .filter(({ target }) => target.endpoints.length > 0);
}

/** The networks that the testifying guests of these hosts are on, of those hosts that were read. */
export function witnessNetworks(picture: Picture, hosts: Iterable<string>): ReadonlySet<string> {
  const read = new Set(picture.hostsRead);
  const testifying = (server: Server) => standingOf(server).tells === 'testifies';
  const servers = [...hosts].filter((host) => read.has(host)).flatMap((host) => picture.serversOf(host));
  return new Set(servers.filter(testifying).flatMap((server) => guestNetworks(server).map(({ id }) => id)));
}

/**
 * Whose servers have to be read for that: pieces of hosts, each from all over the cloud, until the guests are enough,
 * and enough of them on the networks of the `silent` hosts' witnesses.
 */
export function controlGuestsWanted(
  picture: Picture,
  silent: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): Pick<ServersWanted, 'sample' | 'enough'> {
  const hosts = spread(healthyHosts(picture, silent, nowMs, rules), mostSearched).map((h) => h.host);
  const pieces = Math.ceil(hosts.length / hostsPerPiece);
  return {
    sample: Array.from({ length: pieces }, (_, piece) => hosts.filter((_, i) => i % pieces === piece)),
    enough: (seen) => {
      const networks = witnessNetworks(seen, silent);
      const found = controlGuests(seen, silent, networks, nowMs, rules);
      const on = (network: string) => found.filter((guest) => guest.networks.includes(network)).length;
      return (
        found.length >= controlGuestCount &&
        [...networks].every((network) => on(network) >= controlGuestsPerNetwork)
      );
    },
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
