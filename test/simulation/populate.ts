// The cloud of a random history: hosts, spares, instances, and what of them never answers.
import type { Address } from '../../simulator/world/model.ts';
import type { History } from './history.ts';

/** What some clouds have that Sonny must live with, as probabilities for each host or guest. */
export interface Traits {
  /** Its firewall drops whatever asks for its ports, so that it never answered. */
  readonly muteHost: number;
  /** Its firewall says no with an error of its own. */
  readonly prohibits: number;
  /** A security group lets nobody in. */
  readonly muteGuests: number;
  /** Neutron has no agents there. */
  readonly agentless: number;
  /** So many instances on each host; 0: as drawn. */
  readonly crowd: number;
  /** One more host, empty and defective, was disabled with a reason that merely names a spare. */
  readonly oddReason: number;
}

function traitsOf({ random, isOn }: History): Traits {
  return {
    muteHost: random.pick([0, 0, 0, 0.15, 1]),
    prohibits: isOn('prohibits') ? random.pick([0, 0, 0, 0.3]) : 0,
    muteGuests: random.pick([0.1, 0.1, 0.1, 0.1, 0.8]),
    crowd: 0,
    oddReason: isOn('oddReason') && random.chance(0.1) ? 1 : 0,
    // All of a cloud, or some of its hosts.
    agentless: random.pick([0, 0, 0, 0.2, 1]),
  };
}

/** Fills the world. `traits`: instead of what is drawn. */
export function populate(history: History, sparesDrawn: readonly number[], traits: Partial<Traits>): void {
  const { world, random } = history;
  const count = random.pick([3, 3, 3, 4, 5]);
  const spares = random.pick(sparesDrawn);
  const zones = random.chance(0.2) ? ['az1', 'az2'] : ['az1'];
  const reportMs = random.pick([10_000, 10_000, 10_000, 30_000]);
  const outlets = random.chance(0.4);
  const witnessed = random.pick([0.85, 0.85, 0.85, 0.3]);
  const { oddReason, crowd, muteHost, prohibits, muteGuests, agentless } = {
    ...traitsOf(history),
    ...traits,
  };
  const bmc = random.pick(['works', 'works', 'works', 'works', 'works', 'dead', 'deaf'] as const);
  for (let i = 1; i <= count + spares; i += 1) {
    const isSpare = i > count;
    const name = isSpare ? `spare${i - count}` : `hv${i}`;
    const agents = random.chance(isSpare && agentless < 1 ? 0 : agentless)
      ? []
      : ['neutron-openvswitch-agent', ...(random.chance(0.2) ? ['neutron-dhcp-agent'] : [])];
    world.addPlainHost(
      {
        ...{ name, zone: zones[i % zones.length] ?? 'az1', vcpus: isSpare && random.chance(0.1) ? 4 : 16 },
        address: random.chance(0.03) ? null : `10.0.0.${i}`,
        aggregates: random.chance(0.1) ? ['ssd'] : [],
      },
      agents,
      reportMs,
      isSpare,
    );
    if (random.chance(0.5)) world.host(name).bmc = bmc;
    if (random.chance(muteHost)) world.host(name).firewall = 'drops';
    if (random.chance(prohibits)) world.host(name).firewall = 'prohibits';
    if (outlets) world.host(name).outlet = random.pick(['works', 'works', 'dead']);
    if (!isSpare)
      for (let g = 1; g <= (crowd || random.pick([1, 1, 2, 2, 3])); g += 1)
        addGuest(history, name, g, { witnessed, mute: muteGuests });
  }
  if (!random.chance(oddReason)) return;
  const part = { name: 'defect1', zone: zones[0] ?? 'az1', vcpus: 16, address: '10.0.0.99', aggregates: [] };
  world.addPlainHost(part, agentless === 1 ? [] : ['neutron-openvswitch-agent'], reportMs, true);
  world.host('defect1').disabledReason = random.pick(oddReasons);
}

const oddReasons = ['RMA: no spare DIMM in stock', 'fan broken, waiting for spare part', 'spare parts donor'];

function addGuest(
  { world, random }: History,
  host: string,
  number: number,
  { witnessed, mute }: { readonly witnessed: number; readonly mute: number },
): void {
  const name = `${host}-vm${number}`;
  const external: Address = {
    network: random.chance(0.9) ? 'ext-net' : 'private',
    address: `203.0.113.${world.instances.length + 1}`,
    ...{ version: 4, type: random.chance(0.2) ? 'floating' : 'fixed' },
  };
  world.addInstance({
    ...{ name, host, mute: random.chance(mute) },
    addresses: random.chance(witnessed) ? [external] : [],
    vmState: random.chance(0.85) ? 'active' : random.pick(['stopped', 'stopped', 'paused', 'error']),
  });
}
