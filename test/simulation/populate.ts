// The cloud of a random history: hosts, spares, instances, and what of them never answers.
import type { Address, OvnEra } from '../../simulator/world/model.ts';
import { ovnBinaries, useOvn } from '../../simulator/world/ovn.ts';
import type { History } from './history.ts';
import { outsideNetworks } from './judges/life.ts';
import type { Random } from './random.ts';

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
  /** Its network is OVN's. */
  readonly ovn: number;
  /** That Neutron stamps OVN's rows with the moment of the request, as older ones do. */
  readonly stampsRequests: number;
  /** Nova has two cells. */
  readonly cells: number;
  /** So much of its guests is on an external network; -1: as drawn. */
  readonly outside: number;
  /** Neutron calls its hosts otherwise than Nova, as their full names in another domain. */
  readonly otherNames: number;
  /** It has a second external network, which instances are on instead of the first, or besides. */
  readonly twoNetworks: number;
  /** Its hosts start by themselves, when they boot, what ran on them before. */
  readonly startsGuests: number;
  /** With disks on Ceph: that nobody learned by whom they are open. */
  readonly unlearned: number;
  /** Likewise: that two hosts are known to it by one address. */
  readonly sharedAddress: number;
  /** Likewise: that one of a host's instances was opened from another address, just now. */
  readonly strays: number;
  /** Likewise: that a disk is open from a second address of its host, which was seen with both. */
  readonly seconds: number;
  /** Likewise: that an image has no exclusive lock. */
  readonly lockless: number;
  /** Likewise, with proof demanded: that the disks of an instance are elsewhere. */
  readonly elsewhere: number;
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
    ovn: isOn('ovn') ? 0.13 : 0,
    stampsRequests: 0.2,
    otherNames: isOn('otherNames') ? 0.1 : 0,
    twoNetworks: isOn('twoNetworks') ? 0.2 : 0,
    startsGuests: isOn('startsGuests') ? 0.2 : 0,
    cells: isOn('cells') ? 0.12 : 0,
    ...{ outside: -1, unlearned: 0.05, sharedAddress: 0.08, strays: random.pick([0, 0, 0, 0.3]) },
    ...{
      seconds: random.pick([0, 0, 0, 0.4]),
      lockless: random.pick([0, 0, 0.3]),
      elsewhere: random.pick([0, 0, 0, 0.2]),
    },
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
  const hasTwoFeeds = random.chance(0.3);
  const hasKdump = random.chance(0.1);
  const commonly = random.pick([0.85, 0.85, 0.85, 0.3]);
  const { oddReason, crowd, muteHost, prohibits, muteGuests, agentless, ...drawn } = {
    ...traitsOf(history),
    ...traits,
  };
  const witnessed = drawn.outside < 0 ? commonly : drawn.outside;
  const era: OvnEra = random.chance(drawn.stampsRequests) ? 'request' : 'beat';
  const isOvn = random.chance(drawn.ovn);
  const domain = random.chance(drawn.otherNames) ? '.network.example' : '';
  if (random.chance(drawn.twoNetworks))
    world.addNetwork(outsideNetworks[1], { external: true, shared: true });
  const cells = random.chance(drawn.cells) ? ['cell1', 'cell2'] : ['cell1'];
  const bmc = random.pick(['works', 'works', 'works', 'works', 'works', 'dead', 'deaf'] as const);
  for (let i = 1; i <= count + spares; i += 1) {
    const isSpare = i > count;
    const name = isSpare ? `spare${i - count}` : `hv${i}`;
    const agents = isOvn ? ovnBinaries : agentsOf(random, isSpare && agentless < 1 ? 0 : agentless);
    world.addPlainHost(
      {
        ...{ name, zone: zones[i % zones.length] ?? 'az1', vcpus: isSpare && random.chance(0.1) ? 4 : 16 },
        address: random.chance(0.03) ? null : `10.0.0.${i}`,
        aggregates: random.chance(0.1) ? ['ssd'] : [],
        agentHost: `${name}${domain}`,
        cell: cells[(isSpare ? i - count : i) % cells.length] ?? 'cell1',
      },
      agents,
      reportMs,
      isSpare,
    );
    if (random.chance(0.5)) world.host(name).bmc = bmc;
    world.host(name).hasKdump = hasKdump;
    if (random.chance(muteHost)) world.host(name).firewall = 'drops';
    if (random.chance(prohibits)) world.host(name).firewall = 'prohibits';
    if (outlets) world.host(name).outlet = random.pick(['works', 'works', 'dead']);
    if (outlets && hasTwoFeeds)
      world.host(name).secondOutlet = random.pick(['works', 'works', 'works', 'stuck', 'dead']);
    if (!isSpare)
      for (let g = 1; g <= (crowd || random.pick([1, 1, 2, 2, 3])); g += 1)
        addGuest(history, name, g, { witnessed, mute: muteGuests });
  }
  if (random.chance(oddReason)) {
    const part = {
      name: 'defect1',
      zone: zones[0] ?? 'az1',
      vcpus: 16,
      address: '10.0.0.99',
      aggregates: [],
    };
    const agents = isOvn ? ovnBinaries : agentsOf(random, agentless === 1 ? 1 : 0);
    world.addPlainHost(part, agents, reportMs, true);
    world.host('defect1').disabledReason = random.pick(oddReasons);
  }
  if (isOvn) setUpOvn(history, era);
  history.startsGuests = random.chance(drawn.startsGuests);
  setUpCeph(history, drawn);
}

/** By whom the disks are open, and who knows. */
function setUpCeph(
  history: History,
  {
    unlearned,
    sharedAddress,
    strays,
    ...how
  }: Pick<Traits, 'unlearned' | 'sharedAddress' | 'strays' | 'seconds' | 'lockless' | 'elsewhere'>,
): void {
  const { ceph, random, setting, workers, world } = history;
  if (ceph === null) return;
  history.learnsDisks = !random.chance(unlearned);
  if (random.chance(sharedAddress)) ceph.hidden.set('hv2', 'hv1');
  // Without proof of a device what is elsewhere is nobody's care.
  const isProven = [setting.rules, ...workers.map(({ differs }) => ({ ...setting.rules, ...differs }))].every(
    ({ fencing }) => fencing === 'required',
  );
  for (const instance of world.instances) {
    // An address that nobody learned shows by its lock alone, once the watch is gone.
    const runs = instance.runningOn.size > 0;
    const isLearned = runs && instance.vmState === 'active';
    const host = instance.host ?? '';
    if (isLearned && random.chance(how.seconds)) ceph.seconds.set(instance, host);
    if (runs && random.chance(strays)) ceph.strays.set(instance, host);
    else if (isLearned && random.chance(how.lockless)) ceph.lockless.add(instance);
    if (isProven && random.chance(how.elsewhere)) ceph.elsewhere.add(instance);
  }
  ceph.watches.reopen();
}

const agentsOf = (random: Random, agentless: number): string[] =>
  random.chance(agentless)
    ? []
    : ['neutron-openvswitch-agent', ...(random.chance(0.2) ? ['neutron-dhcp-agent'] : [])];

/** Rows are stamped by the clocks of the chassis, which nobody else minds. */
function setUpOvn({ world, random }: History, era: OvnEra): void {
  useOvn(world, era);
  for (const chassis of world.ovn?.chassis.values() ?? []) {
    chassis.clockOffsetMs = random.pick([0, 0, 0, -300_000, 120_000]);
    chassis.beatMs += chassis.clockOffsetMs;
  }
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
    network: random.chance(0.9) ? outsideNetworks[0] : 'private',
    address: `203.0.113.${world.instances.length + 1}`,
    ...{ version: 4, type: random.chance(0.2) ? 'floating' : 'fixed' },
  };
  const addresses = world.networks.some(({ name: n }) => n === outsideNetworks[1])
    ? onTwoNetworks(random, external)
    : [external];
  world.addInstance({
    ...{ name, host, mute: random.chance(mute) },
    addresses: random.chance(witnessed) ? addresses : [],
    vmState: random.chance(0.85) ? 'active' : random.pick(['stopped', 'stopped', 'paused', 'error']),
  });
}

/** On the first, on the second, or fixed on the second and floating on the first. */
function onTwoNetworks(random: Random, first: Address): Address[] {
  const second: Address = { ...first, network: outsideNetworks[1], type: 'fixed' };
  return random.pick([
    [first],
    [second],
    [second, { ...first, address: first.address.replace('203.0.113.', '198.51.100.'), type: 'floating' }],
  ]);
}
