// How hosts come back that were recovered: with what their operating system starts, and with orders of users that waited
// for them. Nobody can stop a second copy then; it has to be told of.
import { begin, end } from '../../simulator/faults/script.ts';
import type { Host, Instance } from '../../simulator/world/model.ts';
import { computeWorks } from '../../simulator/world/reports.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';
import { later, onFirst } from './moments.ts';
import { ofBusyHost, type Stroke } from './stroke.ts';

export const returnStrokes = {
  /** Switched on after its recovery, or in the middle of it, and its operating system starts what ran there. */
  oldGuestsStart: ofBusyHost((history, host) => {
    history.startsGuests = true;
    begin(history, faults.hostDies, host.name);
    onFirst(history, 'evacuate', ({ name }) => switchOn(history, name, [5, 120]));
  }),
  /** A user starts what was stopped there, just when it is asked for, and again where it is then; the host returns. */
  startsWait: ofBusyHost((history, host) => {
    const { world } = history;
    const stopped = world.instancesOn(host.name).filter((guest) => isIdle(guest, 'active'));
    if (!computeWorks(world, host)) return;
    for (const { name } of stopped.slice(1)) begin(history, faults.instanceStopped, name);
    later(history, [2, 5], () => begin(history, faults.hostDies, host.name));
    onFirst(history, 'evacuate', ({ name }) => {
      start(history, world.instancesOn(name));
      later(history, [20, 60], () => start(history, world.instances));
      switchOn(history, name, [5, 120]);
    });
  }),
} satisfies Record<string, Stroke>;

const isIdle = ({ vmState, taskState }: Instance, state: Instance['vmState']): boolean =>
  vmState === state && taskState === null;

function start(history: History, guests: readonly Instance[]): void {
  for (const guest of guests.filter((one) => isIdle(one, 'stopped')))
    begin(history, faults.instanceStarted, guest.name);
}

function switchOn(history: History, name: Host['name'], within: readonly [number, number]): void {
  later(history, within, () => end(history, faults.hostDies, name));
}
