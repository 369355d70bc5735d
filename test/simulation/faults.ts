// From the catalogue of faults to what befalls a random history: whom, when, and for how long. Every fault heals by
// itself or when calm comes; only the dead stay dead.
import { begin, end } from '../../simulator/faults/script.ts';
import type { Line } from '../../simulator/world/model.ts';
import { computeWorks } from '../../simulator/world/reports.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';
import { later, onFirst } from './moments.ts';
import { busyHosts, cut, ofBusyHost, ofInstance, ofSpare, type Stroke, seconds, strike } from './stroke.ts';
import { cephStrokes } from './strokes-of-ceph.ts';
import { cloudStrokes } from './strokes-of-clouds.ts';
import { drained, failsHalfWay } from './strokes-of-movers.ts';
import { operatorStrokes } from './strokes-of-operators.ts';
import { returnStrokes } from './strokes-of-returns.ts';

const lineSets: readonly (readonly Line[])[] = [
  ['reports'],
  ['management'],
  ['guests'],
  ['storage'],
  ['reports', 'management'],
  ['reports', 'guests'],
  ['management', 'guests'],
  ['reports', 'management', 'guests'],
  ['reports', 'management', 'guests', 'storage'],
];

export const strokes = {
  ...operatorStrokes,
  ...cloudStrokes,
  ...cephStrokes,
  ...returnStrokes,
  hostDies: ofBusyHost((history, { name }) => begin(history, faults.hostDies, name)),
  /** Its memory is gone, and it stays silent after that. */
  hostCrashes: ofBusyHost((history, { name }) =>
    begin(history, faults.hostCrashes, name, String(history.random.between(5, 120))),
  ),
  twoDieTogether: (history) => {
    const { random, timeline } = history;
    const [first, second] = busyHosts(history);
    if (first === undefined || second === undefined) return;
    begin(history, faults.hostDies, first.name);
    timeline.after(random.between(0, 20 * seconds), () => {
      if (!history.isCalm) begin(history, faults.hostDies, second.name);
    });
  },
  hostDiesAndComesBack: ofBusyHost((history, { name }) => strike(history, faults.hostDies, [20, 200], name)),
  /** Somebody at the rack, a chassis manager, "restore on AC": in the middle of its recovery. */
  powerReturns: ofBusyHost((history, { name }) => {
    begin(history, faults.hostDies, name);
    const when = history.random.pick(['shot', 'force-down', 'evacuate', 'evacuate'] as const);
    onFirst(history, when, ({ name: dead }) =>
      later(history, [0, 30], () => end(history, faults.hostDies, dead)),
    );
  }),
  /** Its control plane alone is lost: nova-compute and agents, or only these while nova-compute reports. */
  controlLost: ofBusyHost((history, host) => {
    const { random } = history;
    const forS = random.between(60, 240);
    strike(history, faults.agentsEnd, [forS, forS], host.name);
    if (random.chance(0.5)) strike(history, faults.computeEnds, [forS, forS], host.name);
    if (random.chance(0.5)) cut(history, host, ['management'], [forS, forS]);
  }),
  firewallCloses: ofBusyHost((history, { name }) =>
    strike(history, faults.hostFirewalled, [30, 240], name, 'drops'),
  ),
  firewallProhibits: ofBusyHost((history, { name }) =>
    strike(history, faults.hostFirewalled, [30, 240], name, 'prohibits'),
  ),
  deviceOfAnother: ofBusyHost((history, { name }) => {
    const others = [...history.world.hosts.keys()].filter((other) => other !== name);
    strike(history, faults.deviceOfAnother, [60, 300], name, history.random.pick(others));
  }),
  deviceDoesNothing: ofBusyHost((history, { name }) =>
    strike(history, faults.deviceDoesNothing, [60, 300], name),
  ),
  deviceRestores: ofBusyHost((history, { name }) => {
    const afterS = String(history.random.pick([1, 5, 20, 60]));
    history.world.host(name).bmcFault = null;
    begin(history, faults.deviceRestores, name, afterS);
    history.healings.push(() => end(history, faults.deviceRestores, name));
  }),
  plansDiffer: ofBusyHost((history, { name }) => {
    // One alone fences: his plan differs from nobody's.
    if (history.workers.some(({ fences }) => !fences)) return;
    const others = [...history.world.hosts.keys()].filter((other) => other !== name);
    const worker = anyOf(history, 'workers');
    strike(history, faults.plansDiffer, [60, 300], worker, history.random.pick(others), name);
  }),
  hostHangs: ofBusyHost((history, { name }) => strike(history, faults.hostHangs, [30, 240], name)),
  controlHangs: ofBusyHost((history, { name }) => strike(history, faults.controlHangs, [30, 200], name)),
  agentFlaps: ofBusyHost((history, { name }) => {
    const { random, timeline } = history;
    strike(history, faults.agentsEnd, [10, 80], name);
    if (!random.chance(0.5)) return;
    timeline.after(random.between(15, 85) * seconds, () => {
      if (!history.isCalm) strike(history, faults.agentsEnd, [5, 80], name);
    });
  }),
  cutOff: ofBusyHost((history, host) => cut(history, host, history.random.pick(lineSets), [20, 240])),
  /** Back, but only its reports or only its own address: whoever looks at the other one does not see it. */
  comesBackInPart: ofBusyHost((history, host) => {
    const { random, timeline } = history;
    cut(history, host, ['reports', 'management', 'guests'], [300, 300]);
    const line = random.pick(['reports', 'management'] as const);
    timeline.after(random.between(42, 90) * seconds, () => end(history, faults.hostCutOff, host.name, line));
  }),
  /** Its agents hang, and one of the vantage points has lost the way to it. */
  heardByOthers: ofBusyHost((history, { name }) => {
    const forS = history.random.between(60, 200);
    const worker = history.random.pick(history.workers);
    strike(history, faults.controlHangs, [forS, forS], name);
    strike(history, faults.workerBlind, [forS, forS], worker.name, `host of ${name}`);
  }),
  zoneCutOff: (history) => {
    const { world, random } = history;
    const { zone } = random.pick([...world.hosts.values()]);
    const lines = random.pick(lineSets);
    const forS = random.between(20, 200);
    for (const host of world.hosts.values()) if (host.zone === zone) cut(history, host, lines, [forS, forS]);
  },
  /** What it reported before it died is read when it is judged dead already. */
  lateReports: ofBusyHost((history, { name }) => {
    begin(history, faults.hostDies, name);
    if (history.random.chance(0.5)) later(history, [20, 100], () => begin(history, faults.lateReports, name));
    else
      onFirst(history, history.random.pick(['force-down', 'evacuate']), ({ name: dead }) =>
        later(history, [0, 12], () => begin(history, faults.lateReports, dead)),
      );
  }),
  agentsDeleted: ofBusyHost((history, { name }) => {
    begin(history, faults.hostDies, name);
    later(history, [20, 100], () => begin(history, faults.agentsDeleted, name));
  }),
  /** Recovered on silence alone, and connected again with all that ran on it. */
  returnsAsItWas: ofBusyHost((history, host) =>
    cut(history, host, ['reports', 'management', 'guests'], [120, 140]),
  ),
  rabbitDown: (history) => strike(history, faults.rabbitAway, [20, 150]),
  apiAway: (history) => strike(history, faults.openstackAway, [5, 90]),
  blindEye: (history) => {
    const { random, workers, world } = history;
    const zones = [...world.hosts.values()].map(({ zone }) => `zone of ${zone}`);
    const { name } = random.pick([...world.hosts.values()]);
    const lines = [`management of ${name}`, `guestsNetwork of ${name}`];
    const outside = world.networks.filter(({ external }) => external).map((n) => `network of ${n.name}`);
    const networks = outside.length > 1 ? outside : [];
    const parts = [random.pick(zones), ...lines, ...networks];
    const what = random.pick(['hosts', 'guests', 'hosts and guests', ...parts]);
    strike(history, faults.workerBlind, [20, 200], random.pick(workers).name, what);
  },
  clockSteps: (history) => {
    const { random, workers, monitors } = history;
    const byS = String(random.pick([-120, -30, -5, 5, 30, 70, 120]));
    if (random.chance(0.3)) begin(history, faults.cloudClockJumps, byS);
    else begin(history, faults.clockJumps, random.pick([...workers, ...monitors]).name, byS);
  },
  redisRollsBack: (history) => begin(history, faults.redisRollsBack),
  redisFailsOver: (history) => begin(history, faults.redisFailsOver, String(history.random.pick([4, 15]))),
  /**
   * The master is cut off from its replicas and from some of Sonny. Who is left with it writes for four seconds more
   * (min-replicas-max-lag and one, docs/redis.md), then nothing; the others have another master later, without all that.
   */
  redisCutInTwo: (history) => {
    const { random, timeline, workers, monitors } = history;
    const seats = [...workers, ...monitors].map(({ name }) => name);
    const left = random.some(seats, 0.5);
    const newMasterS = random.between(6, 12);
    for (const name of seats)
      if (!left.includes(name)) strike(history, faults.redisUnreached, [newMasterS, newMasterS], name);
    timeline.after(4 * seconds, () => {
      if (history.isCalm) return;
      for (const name of left) strike(history, faults.redisUnreached, [2, 40], name);
      begin(history, faults.redisFailsOver, '4');
    });
  },
  redisAway: (history) => strike(history, faults.redisAway, [2, 40]),
  redisForgets: (history) => {
    if (history.random.chance(0.3)) begin(history, faults.redisForgets);
  },
  workerKilled: (history) => begin(history, faults.processKilled, anyOf(history, 'workers')),
  workerStopped: (history) => begin(history, faults.workerStopped, anyOf(history, 'workers')),
  workerFrozen: (history) => freezes(history, 'workers', 60),
  workerCutOff: (history) => {
    const { redisUnreached, openstackUnreached } = faults;
    const fault = history.random.pick([redisUnreached, openstackUnreached]);
    strike(history, fault, [2, 60], anyOf(history, 'workers'));
  },
  monitorKilled: (history) => begin(history, faults.processKilled, anyOf(history, 'monitors')),
  monitorFrozen: (history) => freezes(history, 'monitors', 90),
  spareFilled: ofSpare((history, { name }) => {
    if (history.world.instancesOn(name).length === 0) begin(history, faults.strayInstance, name);
  }),
  spareDies: ofSpare((history, { name }) => begin(history, faults.hostDies, name)),
  spareAgentsEnd: ofSpare((history, { name }) => strike(history, faults.agentsEnd, [30, 120], name)),
  instanceDeleted: ofInstance((history, { name }) => begin(history, faults.instanceDeleted, name)),
  instanceStopped: ofInstance((history, { name, vmState, host }) => {
    const { world } = history;
    if (vmState === 'active' && computeWorks(world, world.host(host ?? '')))
      begin(history, faults.instanceStopped, name);
  }),
  drained,
  failsHalfWay,
  fencingDeviceFails: (history) => {
    const { world, random } = history;
    const { name } = random.pick([...world.hosts.values()]);
    strike(history, faults.fencingDeviceFails, [60, 300], name, random.pick(['dead', 'dead', 'deaf']));
  },
  operatorConfirms: (history) => {
    const off = [...history.world.hosts.values()].filter((host) => !host.powered);
    if (off.length > 0) begin(history, faults.operatorConfirms, history.random.pick(off).name);
  },
  // Of one that lives as well: ns4 must see for itself.
  recoveryOrdered: (history) => {
    const hosts = [...history.world.hosts.values()];
    const off = hosts.filter((host) => !host.powered);
    const pick = history.random.pick([...hosts, ...off, ...off, ...off]);
    begin(history, faults.recoveryOrdered, pick.name);
  },
  stateAccepted: (history) => begin(history, faults.stateAccepted),
  cooldownReset: (history) => begin(history, faults.cooldownReset),
} satisfies Record<string, Stroke>;

export type StrokeName = keyof typeof strokes;

const anyOf = (history: History, who: 'workers' | 'monitors'): string =>
  history.random.pick<{ readonly name: string }>(history[who]).name;

function freezes(history: History, who: 'workers' | 'monitors', mostS: number): void {
  const forS = String(history.random.between(2, mostS));
  begin(history, faults.processFrozen, anyOf(history, who), forS);
}
