// Who can testify for a silent host, and who can testify that the scanner itself is not blind. Pure.

import { externalAddresses, type Inventory, type Server } from '../../../../shared/documents/inventory.ts';
import type { ScanTarget } from '../../../../shared/documents/jobs/scan.ts';
import { spread } from '../../../../shared/rules/controls.ts';
import { controlGuestCount, type Rules } from '../../state.ts';

/** States in which a guest runs and could answer; the silence of a stopped or paused one proves nothing. */
const runningStates = new Set(['active', 'rescued', 'resized', 'error']);

export interface Witnesses {
  readonly targets: readonly ScanTarget[];
  /** Target name, and the instance's name with its state when it does not run, for people. */
  readonly names: readonly { target: string; name: string }[];
  /** Is there one whose silence means something? */
  readonly canTestify: boolean;
}

/** All instances of a host with an address on an external network, each address and port probed. */
export function witnessesOf(host: string, inventory: Inventory, rules: Rules): Witnesses {
  const witnesses = (inventory.servers?.servers ?? [])
    .filter((server) => server.host === host)
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

/** Running guests of healthy hypervisors, as many hypervisors as possible, as controls of a guest scan. */
export function controlGuests(
  inventory: Inventory,
  unsuitable: ReadonlySet<string>,
  nowMs: number,
  rules: Rules,
): { target: ScanTarget; name: string }[] {
  if (inventory.hosts === null) return [];
  const healthy = new Set(
    inventory.hosts.agents
      .filter((a) => nowMs - a.heartbeatAtMs <= rules.heartbeatPeriodMs && !unsuitable.has(a.host))
      .map((a) => a.host),
  );
  const running = (inventory.servers?.servers ?? []).filter(
    (s) => s.host !== null && healthy.has(s.host) && s.vmState === 'active',
  );
  const guests = running
    .map((server) => ({ target: guestTarget(server, rules), name: server.name }))
    .filter(({ target }) => target.endpoints.length > 0);
  return spread(guests, controlGuestCount);
}

function guestTarget(server: Server, rules: Rules): ScanTarget {
  return {
    name: server.id,
    endpoints: externalAddresses(server, rules.externalNetworks).flatMap(({ address }) =>
      rules.instancePorts.map((port) => ({ address, port })),
    ),
  };
}
