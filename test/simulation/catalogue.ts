// What may happen in a history: to the cloud (simulator/faults/world-faults.ts), and to Sonny's own household, its
// processes, their clocks and lines, Redis, and what operators do.

import { type Fault, scriptOf } from '../../simulator/faults/script.ts';
import { worldFaults } from '../../simulator/faults/world-faults.ts';
import { giveBack, setAside } from '../../simulator/world/compute-service.ts';
import { evacuate } from '../../simulator/world/evacuation.ts';
import { powerOff, powerOn } from '../../simulator/world/host-power.ts';
import { ApiRefusal } from '../../simulator/world/refusal.ts';
import type { World } from '../../simulator/world/world.ts';
import { cephFaults } from './faults-of-ceph.ts';
import type { History } from './history.ts';
import { plansChanged } from './plans-of-fencing.ts';
import { wordKey } from './processes/fencing-parts.ts';
import { heldLease } from './processes/lease.ts';
import { redisForgets, redisGoes, redisReturns, redisRollsBack } from './redis-troubles.ts';
import type { Seat } from './setting.ts';
import type { Weather } from './weather.ts';

const seconds = 1_000;

/** Most tell of themselves, in words of their own. */
const householdFaults = {
  redisAway: {
    says: 'Redis is away',
    begin: silently(redisGoes),
    ends: 'Redis is back',
    end: silently(redisReturns),
  },
  redisRollsBack: { says: 'Redis loses its last second', begin: silently((h) => redisRollsBack(h)) },
  redisFailsOver: {
    says: 'Redis fails over to a replica that is {so many} s behind',
    begin: silently((h, lostS) => redisRollsBack(h, Number(lostS))),
  },
  redisForgets: { says: 'Redis loses everything', begin: silently(redisForgets) },
  processKilled: {
    says: '{process} is killed',
    begin: silently((h, name) => seatOf(h, name).process?.kill()),
  },
  processFrozen: {
    says: '{process} stands still for {so many} s',
    begin: silently((h, name, forS) => seatOf(h, name).process?.freeze(Number(forS) * seconds)),
  },
  workerStopped: {
    says: '{worker} is told to stop',
    begin: silently((h, name) => stopWorker(h, workerOf(h, name))),
  },
  redisUnreached: {
    says: '{process} does not reach Redis',
    begin: (h, name) => cutFromRedis(h, seatOf(h, name), true),
    ends: '{process} reaches Redis[ again]',
    end: (h, name) => cutFromRedis(h, seatOf(h, name), false),
  },
  openstackUnreached: {
    says: '{process} does not reach OpenStack',
    begin: (h, name) => cutLine(h, seatOf(h, name).cloudLine, true),
    ends: '{process} reaches OpenStack[ again]',
    end: (h, name) => cutLine(h, seatOf(h, name).cloudLine, false),
  },
  /** Its own network does not reach them: all, those of a zone, of a network, a host with its guests, or one of the two. */
  workerBlind: {
    says: '{worker} sees no {what...}',
    begin: silently((h, name, what = '') => {
      const [kind, which = null] = what.split(' of ');
      const { blind } = workerOf(h, name).vantagePoint;
      if (kind === 'zone') blind.zone = which;
      else if (kind === 'host') blind.host = which;
      else if (kind === 'management' || kind === 'guestsNetwork' || kind === 'network') blind[kind] = which;
      else Object.assign(blind, { hosts: what.includes('hosts'), guests: what.includes('guests') });
      h.tell(`the network of ${name} does not reach ${what}`);
      h.eyesChanged();
    }),
    ends: '{worker} sees everything again',
    end: silently((h, name) => {
      Object.assign(workerOf(h, name).vantagePoint.blind, {
        hosts: false,
        guests: false,
        ...{ zone: null, host: null, management: null, guestsNetwork: null, network: null },
      });
      h.tell(`the network of ${name} reaches everything again`);
      h.eyesChanged();
    }),
  },
  ...cephFaults,
  plansDiffer: {
    says: 'the plan of {worker} names the device of {another host} for {host}',
    begin: (h, name, other = '', host = '') => {
      workerOf(h, name).aims.set(host, other);
      plansChanged(h);
    },
    ends: 'the plan of {worker} names the right devices',
    end: (h, name) => {
      workerOf(h, name).aims.clear();
      plansChanged(h);
    },
  },
  clockJumps: {
    says: 'the clock of {process} jumps by {so many} s',
    begin: silently((h, name, byS) => h.clocks.step(seatOf(h, name), Number(byS) * seconds)),
  },
  operatorConfirms: {
    says: 'an operator confirms that {host} is off',
    begin: silently((h, name = '') => confirmOff(h, name)),
  },
  recoveryOrdered: {
    says: 'an operator orders the recovery of {host}',
    begin: silently((h, host = '') => {
      const { nowMs: atMs } = h.timeline;
      const id = `order-${host}-${atMs}`;
      h.order({ kind: 'recover', id, host, target: null, despite: [], by: 'somebody', atMs });
    }),
  },
  /** Two orders onto one spare are two such sentences. */
  recoveryOrderedOnto: {
    says: 'an operator orders the recovery of {host} onto {spare}',
    begin: silently((h, host = '', target = '') => {
      const { nowMs: atMs } = h.timeline;
      const id = `order-${host}-${atMs}`;
      h.order({ kind: 'recover', id, host, target, despite: [], by: 'somebody', atMs });
    }),
  },
  recoveredAlone: {
    says: 'somebody recovers {host} onto {spare} with {worker} alone',
    begin: (h, host = '', spare = '', name = '') => {
      h.judges.deeds.decidedByHand.add(host);
      void workerOf(h, name).role?.byHand(host, spare);
    },
  },
  operatorEvacuates: {
    says: 'an operator evacuates {instance} to {host}',
    begin: (h, name = '', target = '') => {
      let isTaken = true;
      h.judges.deeds.byOperator(() => {
        try {
          evacuate(h.world, h.world.instance(name), target);
        } catch (refusal) {
          if (!(refusal instanceof ApiRefusal)) throw refusal;
          isTaken = false;
        }
      });
      return isTaken;
    },
  },
  maintenance: {
    says: 'an operator disables {host} for maintenance and reboots it',
    begin: ({ world }, name = '') => {
      setAside(world, world.host(name), 'maintenance: BIOS update');
      powerOff(world, world.host(name));
    },
    ends: 'the maintenance of {host} is over',
    end: ({ world }, name = '') => {
      const host = world.host(name);
      powerOn(world, host);
      if (!host.forcedDown) giveBack(world, host);
    },
  },
  stateAccepted: {
    says: 'an operator accepts the empty state',
    begin: silently((h) => h.order({ kind: 'accept-empty-state', by: 'somebody', atMs: h.timeline.nowMs })),
  },
  cooldownReset: {
    says: 'an operator resets the cooldown',
    begin: silently((h) => h.order({ kind: 'reset-cooldown', by: 'somebody', atMs: h.timeline.nowMs })),
  },
} satisfies Record<string, Fault<History>>;

/** Troubles with every call. */
const storms: Readonly<Record<string, Partial<Weather>>> = {
  'Nova answers every change with 500': { changeFails: 1 },
  "Nova's answers to changes get lost": { changeAnswerLost: 1 },
  'Nova takes no requests for now (429)': { changeNotNow: 1 },
  'the scanner runs out of file descriptors': { ownTrouble: 1 },
  'every scan fails': { scanFails: 1 },
  'Redis loses every job': { jobsLost: 1 },
};

function stormFault([what, storm]: [string, Partial<Weather>]): [string, Fault<History>] {
  const fair = Object.fromEntries(Object.keys(storm).map((name) => [name, 0]));
  const becomes = (weather: Partial<Weather>, told: string) =>
    silently((h) => {
      Object.assign(h.setting.weather, weather);
      h.tell(told);
    });
  const says = `${what}: begins`;
  const ends = `${what}: ends`;
  return [what, { says, ends, begin: becomes(storm, what), end: becomes(fair, `no more: ${what}`) }];
}

function inHistory({ begin, end, ...said }: Fault<World>): Fault<History> {
  const begins: Fault<History>['begin'] = ({ world }, ...words) => begin(world, ...words);
  if (end === undefined) return { ...said, begin: begins };
  return { ...said, begin: begins, end: ({ world }, ...words) => end(world, ...words) };
}

const cloudFaults = Object.fromEntries(
  Object.entries<Fault<World>>(worldFaults).map(([name, fault]) => [name, inHistory(fault)]),
) as Record<keyof typeof worldFaults, Fault<History>>;

/** All of them by name. */
export const faults = { ...cloudFaults, ...householdFaults };

/** Makes happen what a sentence says; false when it says nothing of these. */
export const happen: (history: History, sentence: string) => boolean = scriptOf<History>({
  ...faults,
  ...Object.fromEntries(Object.entries(storms).map(stormFault)),
});

/** Nothing else is told of it. */
function silently(make: (history: History, ...words: string[]) => void): Fault<History>['begin'] {
  return (history, ...words) => {
    make(history, ...words);
    return false;
  };
}

/** Told to stop, as by SIGTERM; the next one comes after a while. */
function stopWorker({ jobs, world }: History, { name, process }: Seat<unknown>): void {
  if (process === null || !process.running) return;
  world.tell(`${name} is told to stop`);
  jobs.stop(process);
  process.later(1_000, () => process.kill());
}

/** An operator's word that a host has no power. */
function confirmOff(history: History, host: string): void {
  const { monitors, redis, timeline, world } = history;
  const nowMs = timeline.nowMs + (monitors[0]?.machine.offsetMs ?? 0);
  redis.set(wordKey(host), { who: 'somebody', atMs: nowMs });
  world.tell(`an operator gives his word that ${host} is off`);
  history.judges.disks?.proved(host);
  history.order({ kind: 'confirm-fenced', host, by: 'somebody', atMs: nowMs });
}

/** A monitor without Redis keeps watch over nothing, and its lease runs out. */
function cutFromRedis(history: History, seat: Seat<unknown>, isCut: boolean): void {
  const { monitors, judges, redis } = history;
  cutLine(history, seat.redisLine, isCut);
  const monitor = monitors.find((one) => one === seat);
  if (monitor === undefined || monitor.process === null) return;
  if (isCut) {
    heldLease(redis);
    judges.pauses(monitor.process);
  } else if (monitor.role?.leads) judges.goesOn(monitor.process);
}

function cutLine(history: History, line: { cut: boolean }, isCut: boolean): void {
  line.cut = isCut;
  plansChanged(history);
  history.jobs.lookAgain();
  history.poke();
}

function seatOf(h: History, name: string | undefined): Seat<unknown> {
  const seat = [...h.monitors, ...h.workers].find((s) => s.name === name);
  if (seat === undefined) throw new Error(`no ${name} in this history`);
  return seat;
}

function workerOf(h: History, name: string | undefined): History['workers'][number] {
  const seat = h.workers.find((s) => s.name === name);
  if (seat === undefined) throw new Error(`no worker ${name} in this history`);
  return seat;
}
