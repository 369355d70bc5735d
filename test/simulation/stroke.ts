// What strokes of fate are made of: whom they befall, for how long, and that they end when calm comes at the latest.
import { begin, end, type Fault } from '../../simulator/faults/script.ts';
import type { Host, Instance, Line } from '../../simulator/world/model.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';

export const seconds = 1_000;

/** Something drawn that befalls a history now. */
export type Stroke = (history: History) => void;

/** Undone when calm comes at the latest. */
function forAWhile(history: History, forMs: number, undo: () => void): void {
  let over = false;
  const once = () => {
    if (over) return;
    over = true;
    undo();
  };
  history.timeline.after(forMs, once);
  history.healings.push(once);
}

/** A fault that ends after some time between these, in seconds. */
export function strike(
  history: History,
  fault: Fault<History>,
  [least, most]: readonly [number, number],
  ...words: string[]
): void {
  const forMs = history.random.between(least, most) * seconds;
  begin(history, fault, ...words);
  forAWhile(history, forMs, () => end(history, fault, ...words));
}

export const busyHosts = ({ world }: History): Host[] =>
  [...world.hosts.values()].filter(
    (host) => host.powered && world.instances.some((g) => g.host === host.name),
  );

/** One with power that has instances; null when there is none. */
export function busyHost(history: History): Host | null {
  const hosts = busyHosts(history);
  return hosts.length === 0 ? null : history.random.pick(hosts);
}

/** What befalls one busy host. */
export const ofBusyHost =
  (befall: (history: History, host: Host) => void): Stroke =>
  (history) => {
    const host = busyHost(history);
    if (host !== null) befall(history, host);
  };

export const ofSpare =
  (befall: (history: History, spare: Host) => void): Stroke =>
  (history) => {
    const spare = [...history.world.hosts.values()].find((host) => host.disabledReason === 'spare');
    if (spare !== undefined) befall(history, spare);
  };

export const ofInstance =
  (befall: (history: History, instance: Instance) => void): Stroke =>
  (history) => {
    const { world, random } = history;
    const idle = world.instances.filter((g) => g.taskState === null && world.host(g.host ?? '').powered);
    if (idle.length > 0) befall(history, random.pick(idle));
  };

/** Some of a host's networks do not carry. */
export function cut(
  history: History,
  host: Host,
  lines: readonly Line[],
  forS: readonly [number, number],
): void {
  strike(history, faults.hostCutOff, forS, host.name, lines.join(', '));
}

/** A busy host that nobody hears any more, and that lives; null when there is none. */
export function cutOffHost(history: History): Host | null {
  const host = busyHost(history);
  if (host !== null) cut(history, host, ['reports', 'management', 'guests'], [600, 600]);
  return host;
}

/** One of its lines carries again; its nova-compute does not come back with it. */
export function connect(history: History, host: Host, line: 'management' | 'reports' | 'guests'): void {
  host.compute.broken = true;
  end(history, faults.hostCutOff, host.name, line);
}
