// What operators do at the wrong time, beside a Sonny that watches: by hand, with Nova's own commands, or at the machine.
import { begin, end } from '../../simulator/faults/script.ts';
import type { Host } from '../../simulator/world/model.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';
import { later, onFirst } from './moments.ts';
import { busyHosts, cut, ofBusyHost, type Stroke, strike } from './stroke.ts';

const sparesOf = ({ world }: History): string[] =>
  [...world.hosts.keys()].filter((name) => name.startsWith('spare'));

/** Dies, and is judged some 45 s later. */
const dies = (run: (history: History, host: Host) => void): Stroke =>
  ofBusyHost((history, host) => {
    begin(history, faults.hostDies, host.name);
    run(history, host);
  });

export const operatorStrokes = {
  /** `nova evacuate` while Sonny is at it, or just before. */
  operatorEvacuates: dies((history, { name }) => {
    const { world, random } = history;
    const evacuates = () => {
      const left = world.instancesOn(name);
      const targets = [...world.hosts.values()].filter((host) => host.powered && host.name !== name);
      if (left.length === 0 || targets.length === 0) return;
      begin(history, faults.operatorEvacuates, random.pick(left).name, random.pick(targets).name);
    };
    onFirst(history, random.pick(['force-down', 'evacuate']), () => later(history, [0, 8], evacuates));
  }),
  recoveredAlone: dies((history, { name }) =>
    later(history, [0, 60], () => alone(history, name, sparesOf(history))),
  ),
  /** Each of two dead hosts onto the same spare. */
  twoOntoOne: (history) => {
    const { random } = history;
    const [first, second] = busyHosts(history);
    const spares = sparesOf(history);
    if (first === undefined || second === undefined || spares.length === 0) return;
    const spare = random.pick(spares);
    const isAlone = random.chance(0.5);
    const atS = random.between(2, 60);
    for (const { name } of [first, second]) {
      begin(history, faults.hostDies, name);
      later(history, [atS, atS + 3], () => {
        if (isAlone) alone(history, name, [spare]);
        else begin(history, faults.recoveryOrderedOnto, name, spare);
      });
    }
  },
  maintenance: ofBusyHost((history, { name }) => strike(history, faults.maintenance, [60, 300], name)),
  /** Its device does what it is told and never shows it, so somebody switches the host on again. */
  switchedOnWhileFenced: dies((history, host) => {
    Object.assign(host, { bmc: 'deaf', outlet: 'none' });
    onFirst(history, 'shot', () => later(history, [5, 30], () => end(history, faults.hostDies, host.name)));
  }),
  /** Unreachable, not dead: its guests answer, and somebody orders its recovery all the same. */
  orderedDespiteGuests: ofBusyHost((history, host) => {
    cut(history, host, ['reports', 'management'], [200, 200]);
    const spares = sparesOf(history);
    later(history, [60, 120], () => {
      if (history.random.chance(0.5)) begin(history, faults.recoveryOrdered, host.name);
      else alone(history, host.name, spares);
    });
  }),
} satisfies Record<string, Stroke>;

function alone(history: History, dead: string, spares: readonly string[]): void {
  if (spares.length === 0) return;
  const { random, workers } = history;
  begin(history, faults.recoveredAlone, dead, random.pick(spares), random.pick(workers).name);
}
