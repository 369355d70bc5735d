// What befalls clouds of a kind: OVN's databases and controllers, Neutron without which nobody asks them, cells of Nova.
// Where the cloud is of another kind nothing happens.
import { begin, end } from '../../simulator/faults/script.ts';
import type { Host } from '../../simulator/world/model.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';
import { later } from './moments.ts';
import { cut, ofBusyHost, type Stroke, strike } from './stroke.ts';

export const cloudStrokes = {
  neutronAway: (history) => strike(history, faults.neutronAway, [5, 120]),
  ovnAway: onOvn((history) =>
    strike(history, faults.ovnAway, [20, 200], history.random.pick(['northd', 'southbound'])),
  ),
  controllerStops: onOvn(
    ofBusyHost((history, { name }) => strike(history, faults.controllerStopped, [5, 240], name)),
  ),
  controllerHangs: onOvn(
    ofBusyHost((history, { name }) => strike(history, faults.controllerHangs, [20, 240], name)),
  ),
  cellAway: (history) => {
    const cells = cellsOf(history);
    if (cells.length > 1) strike(history, faults.cellAway, [20, 200], history.random.pick(cells));
  },
} satisfies Record<string, Stroke>;

const cellsOf = ({ world }: History): string[] => [
  ...new Set([...world.hosts.values()].map(({ cell }) => cell)),
];

function onOvn(stroke: Stroke): Stroke {
  return (history) => {
    if (history.world.ovn !== null) stroke(history);
  };
}

/**
 * Nothing but its ovn-controller is heard of it; those of the others are started anew, one at a time: half of them
 * between two looks are taken for the answer to a ping.
 */
export const beatsAlone: Stroke = ofBusyHost((history, host) => {
  onlyBeats(history, host);
  const others = [...history.world.hosts.keys()].filter((name) => name !== host.name);
  for (const afterS of [20, 65, 110, 155])
    later(history, [afterS, afterS + 15], () => restart(history, history.random.pick(others)));
});

function onlyBeats(history: History, host: Host): void {
  strike(history, faults.computeEnds, [190, 190], host.name);
  cut(history, host, ['management', 'guests'], [190, 190]);
}

/** Too quickly for anybody to see that it was gone. */
function restart(history: History, name: string): void {
  begin(history, faults.controllerStopped, name);
  end(history, faults.controllerStopped, name);
}

/** It falls silent, is recovered, and then nothing but its ovn-controller is heard of it again. */
export const beatsAgain: Stroke = ofBusyHost((history, host) => {
  begin(history, faults.hostCutOff, host.name, 'reports, management, guests');
  begin(history, faults.computeEnds, host.name);
});

/** Its row is deleted, or forgotten as well, and it dies; or all rows are, and one host lives that little else tells of. */
export const controllerGone: Stroke = ofBusyHost((history, host) => {
  const { random, world } = history;
  const isAll = random.chance(0.5);
  const gone = isAll ? [...world.hosts.keys()] : [host.name];
  for (const name of gone) strike(history, faults.controllerStopped, [190, 190], name);
  if (random.chance(0.5)) strike(history, faults.neutronAway, [1, 5]);
  if (!isAll) begin(history, faults.hostDies, host.name);
  else onlyBeats(history, host);
});

/** The only spare has lost its ovn-controller for good when a host dies: its row is deleted, or forgotten as well. */
export const spareWithoutController: Stroke = (history) => {
  const { world } = history;
  for (const { name } of [...world.hosts.values()].filter((host) => host.disabledReason === 'spare'))
    begin(history, faults.controllerStopped, name);
  if (history.random.chance(0.5)) strike(history, faults.neutronAway, [1, 5]);
  later(history, [100, 130], () => ofBusyHost((h, { name }) => begin(h, faults.hostDies, name))(history));
};

/** A ping and its answers are over by then. */
const pingMs = 3_000;

/**
 * All at once, between two pings, they are gone or hang for good, and a host dies. Their clocks agree: one that is ahead
 * looks alive for longer than the others, which are silence beside it.
 */
export const nobodyBeats: Stroke = (history) => {
  const { ovn, hosts, nowMs } = history.world;
  if (ovn === null) return;
  if (nowMs - ovn.pingedAtMs < pingMs) return later(history, [1, 3], () => nobodyBeats(history));
  for (const chassis of ovn.chassis.values())
    Object.assign(chassis, { beatMs: chassis.beatMs - chassis.clockOffsetMs, clockOffsetMs: 0 });
  const how = history.random.pick([faults.controllerStopped, faults.controllerHangs]);
  for (const name of hosts.keys()) begin(history, how, name);
  later(history, [100, 130], () => ofBusyHost((h, { name }) => begin(h, faults.hostDies, name))(history));
};

/** What carries pings to the chassis stays away for good, and a host dies. */
export const asksNobody: Stroke = (history) => {
  later(history, [50, 60], () => {
    begin(history, faults.ovnAway, history.random.pick(['northd', 'southbound']));
    later(history, [0, 60], () => ofBusyHost((h, { name }) => begin(h, faults.hostDies, name))(history));
  });
};

/** A cell stays away for good, and a host of the other one dies. */
export const cellStaysAway: Stroke = (history) => {
  const [first, second] = history.random.chance(0.5) ? cellsOf(history) : cellsOf(history).reverse();
  if (first === undefined || second === undefined) return;
  begin(history, faults.cellAway, first);
  dies(history, second, [0, 60]);
};

/** A host of a cell that is away dies, and perhaps one of the other. */
export const diesInCellAway: Stroke = (history) => {
  const [first, second] = history.random.chance(0.5) ? cellsOf(history) : cellsOf(history).reverse();
  if (first === undefined || second === undefined) return;
  if (history.random.chance(0.5)) strike(history, faults.cellAway, [150, 190], first);
  else later(history, [20, 60], () => strike(history, faults.cellAway, [60, 140], first));
  dies(history, first, [0, 20]);
  if (history.random.chance(0.5)) dies(history, second, [0, 60]);
};

function dies(history: History, cell: string, within: readonly [number, number]): void {
  later(history, within, () => {
    const { world, random } = history;
    const hosts = [...world.hosts.values()].filter(
      (host) => host.cell === cell && host.powered && world.instancesOn(host.name).length > 0,
    );
    if (hosts.length > 0) begin(history, faults.hostDies, random.pick(hosts).name);
  });
}
