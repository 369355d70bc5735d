// What befalls instances besides the death of their host: they are moved, rebuilt or half evacuated when it comes.
import { begin } from '../../simulator/faults/script.ts';
import type { Host, Instance } from '../../simulator/world/model.ts';
import { computeWorks } from '../../simulator/world/reports.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';

const drainMs = 25_000;

/** An operator drains a host that dies then, or a user rebuilds what is on it: in the midst of it, or just after. */
export function drained(history: History): void {
  const { world, random, timeline } = history;
  const host = busyHost(history);
  if (host === null) return;
  const others = [...world.hosts.values()].filter((h) => h !== host && computeWorks(world, h) && !h.disabled);
  for (const { name } of idleGuests(history, host)) {
    const [target] = others.length === 0 ? [] : [random.pick(others)];
    if (random.chance(0.2)) begin(history, faults.instanceRebuilt, name);
    else if (target !== undefined && random.chance(0.6))
      begin(
        history,
        random.chance(0.7) ? faults.liveMigration : faults.coldMigration,
        ...[name, target.name],
      );
  }
  timeline.after(random.between(0, drainMs), () => {
    if (!history.isCalm) begin(history, faults.hostDies, host.name);
  });
}

/** Its guests are started on the spare before Nova fails at them. */
export function failsHalfWay(history: History): void {
  const host = busyHost(history);
  if (host === null) return;
  for (const { name } of idleGuests(history, host))
    if (history.random.chance(0.7)) begin(history, faults.rebuildInTrouble, 'fail-late', name);
  begin(history, faults.hostDies, host.name);
}

/** One whose nova-compute works and that has instances; null when there is none. */
function busyHost({ world, random }: History): Host | null {
  const hosts = [...world.hosts.values()].filter(
    (host) => computeWorks(world, host) && world.instancesOn(host.name).length > 0,
  );
  return hosts.length === 0 ? null : random.pick(hosts);
}

const idleGuests = ({ world }: History, host: Host): Instance[] =>
  world.instancesOn(host.name).filter((g) => g.vmState === 'active' && g.taskState === null);
