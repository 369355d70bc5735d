// What may happen to the pretend cloud, each by itself, with its end: read by the random histories, by the scenarios
// and by the simulator with its HTTP APIs.
import {
  change,
  endCompute,
  freeze,
  giveFeed,
  powerOff,
  powerOn,
  startCompute,
  thaw,
} from '../world/host-power.ts';
import { changePower } from '../world/instance-power.ts';
import { boot, remove } from '../world/instances.ts';
import { startService, stopService, workOffReports } from '../world/messaging.ts';
import { coldMigrate, leaveStaleRecord, liveMigrate, rebuildInPlace } from '../world/migrations.ts';
import type { EvacuationTrouble, Host, Line } from '../world/model.ts';
import { setController, startController, stopController } from '../world/ovn.ts';
import type { ServiceName, World } from '../world/world.ts';
import { type Fault, scriptOf } from './script.ts';

/** APIs that are away when all of OpenStack is. */
const apis: readonly ServiceName[] = ['keystone', 'nova', 'neutron', 'placement'];

const troubles: Readonly<Record<string, EvacuationTrouble>> = {
  fail: 'fails',
  'fail-late': 'fails-running',
  stick: 'sticks',
};

/** By the words of a script: first the name of what it is about. */
export const worldFaults = {
  hostDies: {
    says: '{host} loses its power',
    begin: (world, name) => powerOff(world, hostOf(world, name)),
    ends: '{host} is powered on[ again]',
    end: (world, name) => powerOn(world, hostOf(world, name)),
  },
  hostHangs: {
    says: '{host} hangs',
    begin: (world, name) => freeze(world, hostOf(world, name)),
    ends: '{host} goes on',
    end: (world, name) => thaw(world, hostOf(world, name)),
  },
  controlHangs: {
    says: 'agents and nova-compute of {host} hang',
    begin: (world, name) => changeHost(world, name, (host) => Object.assign(host, { controlHung: true })),
    ends: 'agents and nova-compute of {host} go on',
    end: (world, name) => changeHost(world, name, (host) => Object.assign(host, { controlHung: false })),
  },
  /** Its lines, separated by commas; without any its end is that of all of them. */
  hostCutOff: {
    says: '{host} is cut off ({lines...})',
    begin: (world, name, lines) => setLines(world, name, lines, true),
    ends: '{host} is connected again[ ({lines...})]',
    end: (world, name, lines = 'reports, management, guests, storage') => setLines(world, name, lines, false),
  },
  agentsEnd: {
    says: 'the agents of {host} end',
    begin: (world, name) => breakAgents(world, name, true),
    ends: 'the agents of {host} run again',
    end: (world, name) => breakAgents(world, name, false),
  },
  agentsDeleted: {
    says: 'somebody deletes the agents of {host}',
    begin: (world, name) => {
      for (const agent of hostOf(world, name).agents) agent.deleted = true;
    },
  },
  lateReports: {
    says: 'RabbitMQ hands over what {host} reported before',
    begin: (world, name) => workOffReports(world, hostOf(world, name)),
  },
  computeEnds: {
    says: 'nova-compute of {host} ends',
    begin: (world, name) => endCompute(world, hostOf(world, name)),
    ends: 'nova-compute of {host} runs again',
    end: (world, name) =>
      changeHost(world, name, (host) => {
        host.compute.broken = false;
        startCompute(world, host);
      }),
  },
  hostFirewalled: {
    says: 'the firewall of {host} {drops|prohibits} whatever asks for its ports',
    begin: (world, name, how) =>
      changeHost(world, name, (host) => {
        host.firewall = how === 'drops' ? 'drops' : 'prohibits';
      }),
    ends: 'the firewall of {host} lets everybody in',
    end: (world, name) => changeHost(world, name, (host) => Object.assign(host, { firewall: 'open' })),
  },
  deviceOfAnother: {
    says: 'the fencing device of {host} is that of {another host}',
    begin: (world, name, other = '') => {
      hostOf(world, name).bmcFault = { kind: 'other', host: other };
    },
    ends: 'the fencing device of {host} is its own again',
    end: (world, name) => {
      hostOf(world, name).bmcFault = null;
    },
  },
  deviceDoesNothing: {
    says: 'the fencing device of {host} switches one of its two supplies only',
    begin: (world, name) => {
      hostOf(world, name).bmcFault = { kind: 'nothing' };
    },
    ends: 'the fencing device of {host} switches both of its supplies',
    end: (world, name) => {
      hostOf(world, name).bmcFault = null;
    },
  },
  deviceRestores: {
    says: 'the fencing device of {host} restores its power after {so many} s',
    begin: (world, name, afterS) => {
      hostOf(world, name).bmcFault = { kind: 'restores', afterMs: Number(afterS) * 1_000 };
    },
    ends: 'the fencing device of {host} leaves it off',
    end: (world, name) => {
      hostOf(world, name).bmcFault = null;
    },
  },
  /** It stays as it is then: nobody looks after it. */
  hostCrashes: {
    says: '{host} crashes, and its crash kernel reports for {so many} s',
    begin: (world, name, forS) => {
      const host = hostOf(world, name);
      host.crashMessagesUntilMs = world.nowMs + Number(forS) * 1_000;
      return powerOff(world, host);
    },
  },
  crashForged: {
    says: 'somebody reports a crash in the name of {host}',
    begin: (world, name) => {
      hostOf(world, name).crashMessagesUntilMs = world.nowMs + 3_000;
    },
  },
  feedReturns: {
    says: 'one of the two outlets of {host} is switched on again',
    begin: (world, name) => giveFeed(world, hostOf(world, name), 0),
  },
  fencingDeviceFails: {
    says: 'the fencing device of {host} is {dead|deaf}',
    begin: (world, name, how) => {
      hostOf(world, name).bmc = how === 'deaf' ? 'deaf' : 'dead';
    },
    ends: 'the fencing device of {host} works again',
    end: (world, name) => {
      hostOf(world, name).bmc = 'works';
    },
  },
  strayInstance: {
    says: 'somebody starts an instance on {host}',
    begin: (world, name) => {
      boot(world, `stray-${name}`, hostOf(world, name), { addresses: [], mute: true });
    },
  },
  instanceDeleted: {
    says: 'somebody deletes {instance}',
    begin: (world, name = '') => remove(world, world.instance(name)),
  },
  instanceStopped: {
    says: 'somebody stops {instance}',
    begin: (world, name = '') => changePower(world, world.instance(name), 'os-stop'),
  },
  guestHangs: {
    says: '{instance} answers nobody any more',
    begin: (world, name = '') => {
      world.instance(name).mute = true;
      world.onPresence();
    },
  },
  instanceStarted: {
    says: 'somebody starts {instance}',
    begin: (world, name = '') => changePower(world, world.instance(name), 'os-start'),
  },
  instanceRebuilt: {
    says: 'somebody rebuilds {instance}',
    begin: (world, name = '') => rebuildInPlace(world, world.instance(name)),
  },
  liveMigration: {
    says: 'an operator live-migrates {instance} to {host}',
    begin: (world, name = '', target) => liveMigrate(world, world.instance(name), hostOf(world, target)),
  },
  coldMigration: {
    says: 'an operator migrates {instance} to {host}',
    begin: (world, name = '', target) => coldMigrate(world, world.instance(name), hostOf(world, target)),
  },
  /** Nobody ever ended its record. */
  staleEvacuation: {
    says: 'an evacuation of {instance} to {host} was left behind {so many} days ago',
    begin: (world, name = '', target = '', days = '') => {
      const what = { type: 'evacuation', target, status: 'accepted' } as const;
      leaveStaleRecord(world, world.instance(name), { ...what, agoMs: Number(days) * 86_400_000 });
    },
  },
  otherCell: {
    says: '{host} is of another cell',
    begin: (world, name) => {
      hostOf(world, name).cell = 'another-cell';
    },
  },
  /** Of its next rebuilds; "fail-late at": its guest runs by then. */
  rebuildInTrouble: {
    says: 'Nova will {fail|fail-late|stick} at {instance}[ {how often} times]',
    begin: (world, how = '', name = '', times = '1') => {
      const trouble = troubles[how] ?? 'fails';
      world.instance(name).trouble.push(...Array.from({ length: Number(times) }, () => trouble));
      return false;
    },
  },
  rabbitAway: {
    says: 'RabbitMQ is away[: no report arrives from anywhere]',
    begin: (world) => stopService(world, 'rabbitmq'),
    ends: 'RabbitMQ is back',
    end: (world) => startService(world, 'rabbitmq'),
  },
  controllerStopped: {
    says: 'ovn-controller of {host} is stopped in good order',
    begin: (world, name) => changeHost(world, name, (host) => stopController(world, host)),
    ends: 'ovn-controller of {host} runs again',
    end: (world, name) => changeHost(world, name, (host) => startController(world, host)),
  },
  controllerHangs: {
    says: 'ovn-controller of {host} hangs',
    begin: (world, name) => changeHost(world, name, (host) => setController(host, true)),
    ends: 'ovn-controller of {host} goes on',
    end: (world, name) => changeHost(world, name, (host) => startController(world, host)),
  },
  neutronAway: {
    says: 'neutron-server is away',
    begin: (world) => stopService(world, 'neutron'),
    ends: 'neutron-server is back',
    end: (world) => startService(world, 'neutron'),
  },
  ovnAway: {
    says: "OVN's {northd|southbound} is away",
    begin: (world, what) => stopService(world, ovnService(what)),
    ends: "OVN's {northd|southbound} is back",
    end: (world, what) => startService(world, ovnService(what)),
  },
  cellAway: {
    says: '{cell} does not answer Nova',
    begin: (world, cell = '') => void world.downCells.add(cell),
    ends: '{cell} answers Nova again',
    end: (world, cell = '') => void world.downCells.delete(cell),
  },
  novaAway: {
    says: 'nova-api is away',
    begin: (world) => stopService(world, 'nova'),
    ends: 'nova-api is back',
    end: (world) => startService(world, 'nova'),
  },
  openstackAway: {
    says: 'OpenStack does not answer',
    begin: (world) => {
      for (const name of apis) stopService(world, name);
    },
    ends: 'OpenStack answers again',
    end: (world) => {
      for (const name of apis) startService(world, name);
    },
  },
  cloudClockJumps: {
    says: "the cloud's clock jumps by {so many} s",
    begin: (world, byS) => {
      world.cloudOffsetMs += Number(byS) * 1_000;
    },
  },
} satisfies Record<string, Fault<World>>;

/** Makes happen what a sentence says about a world; false when it says nothing of these. */
export const worldScript: (world: World, sentence: string) => boolean = scriptOf<World>(worldFaults);

const hostOf = (world: World, name: string | undefined): Host => world.host(name ?? '');

const ovnService = (word: string | undefined): ServiceName => (word === 'northd' ? 'northd' : 'southbound');

function changeHost(world: World, name: string | undefined, make: (host: Host) => void): void {
  const host = hostOf(world, name);
  change(world, host, () => make(host));
}

function setLines(world: World, name: string | undefined, lines: string | undefined, isCut: boolean): void {
  changeHost(world, name, ({ cut }) => {
    for (const line of (lines ?? '').split(', ')) cut[lineOf(line)] = isCut;
  });
}

function lineOf(word: string): Line {
  if (word === 'reports' || word === 'management' || word === 'guests' || word === 'storage') return word;
  throw new Error(`a host has no line called ${word}`);
}

function breakAgents(world: World, name: string | undefined, broken: boolean): void {
  changeHost(world, name, ({ agents }) => {
    for (const agent of agents) agent.broken = broken;
  });
}
