// What fencing.yaml plans for each host: its levels in order, each one device or several that must all say off. No I/O.
import { basename } from 'node:path';
import type { Hosts } from '../../shared/documents/inventory.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';

/** An agent with what it is told: one BMC, one outlet of a PDU. */
export interface Device {
  /** As fencing.yaml names it: for people. */
  readonly agent: string;
  /** Absolute path of the program. */
  readonly program: string;
  /** What the agent reads on its standard input, apart from the action. */
  readonly options: Readonly<Record<string, string>>;
}

/** Devices that power a host off, and by which it is seen off. */
export interface DeviceLevel {
  /** From 1, in the order in which they are tried. */
  readonly number: number;
  /** One at least. All of them must say off: a host with two feeds runs on one. */
  readonly devices: readonly Device[];
  readonly kind?: undefined;
}

/** The level that is built in: the host is cut off from Ceph, and runs on. It has no device of its own. */
export interface CephLevel {
  readonly number: number;
  readonly kind: 'ceph';
  readonly devices: readonly never[];
}

/** One way to keep a host from writing, and to see that it is so. */
export type Level = DeviceLevel | CephLevel;

/** The name of the level that is built in, where an agent's stands. */
export const builtIn = 'ceph';

/**
 * fence_kdump switches nothing: its `off` waits for a message of the host's crash kernel, and it knows no `status`. By
 * the program's name, as there is nothing else to know it by.
 */
export const listensOnly = ({ program }: Pick<Device, 'program'>): boolean =>
  basename(program) === 'fence_kdump';

/** A level that hears of a host what nobody can be asked for. */
export const isListener = ({ devices }: Level): boolean => devices.some(listensOnly);

/**
 * An agent that cuts a host off from Ceph, and switches nothing: its `off` says nothing of the power, and its `on` lifts
 * entries of a blocklist. By the name of its program, which has "ceph" in it, as there is nothing else to know it by.
 */
export const cutsOff = (agent: string): boolean => basename(agent).toLowerCase().includes('ceph');

/** Has a host no power when all of these agents say off? */
export const showPower = (agents: readonly string[]): boolean => agents.some((agent) => !cutsOff(agent));

/** Devices as whoever decides has to know them: with neither programs nor options, which stay where they are told. */
export interface DeviceOutline {
  readonly number: number;
  readonly isListener: boolean;
  /** By their agents' names. */
  readonly devices: readonly Pick<Device, 'agent'>[];
  readonly kind?: undefined;
}

/** A level without what only its devices need. Ceph is told by whoever decides. */
export type LevelOutline = DeviceOutline | CephLevel;

export function outlineOf(level: Level): LevelOutline {
  if (level.kind === 'ceph') return level;
  const devices = level.devices.map(({ agent }) => ({ agent }));
  return { number: level.number, isListener: isListener(level), devices };
}

/** The agents of a level, for people: "fence_ipmilan", "fence_apc + fence_apc", or "ceph". */
export const agentsOf = ({ kind, devices }: Pick<LevelOutline, 'kind' | 'devices'>): string =>
  kind === 'ceph' ? builtIn : devices.map(({ agent }) => agent).join(' + ');

/** What stands before the words of one device where a level has several: "device 2 of 2, fence_apc: ". `index`: from 0. */
export function deviceLabel({ devices }: Pick<LevelOutline, 'devices'>, index: number): string {
  const agent = devices[index]?.agent ?? '';
  return devices.length === 1 ? '' : `device ${index + 1} of ${devices.length}, ${agent}: `;
}

/** All of fencing.yaml. */
export interface FencingPlan {
  readonly file: string;
  readonly hosts: ReadonlyMap<string, readonly Level[]>;
  /** For every host not named, where the file has an entry "*". */
  readonly others: ((host: string) => readonly Level[]) | null;
  /** Every secret in it, for the log to mask. */
  readonly secrets: readonly string[];
}

/** The levels of a host; none: only an operator's word can prove it off. */
export function levelsOf(plan: FencingPlan, host: string): readonly Level[] {
  return plan.hosts.get(host) ?? plan.others?.(host) ?? [];
}

/** An option whose value no log, event, journal or terminal may show. A path or a script's name is none. */
export function isSecretOption(key: string): boolean {
  return /pass|secret|token|key|community|kg$/i.test(key) && !/(script|file|path)$/i.test(key);
}

/** In one sentence. */
const mostNamed = 10;

/** What does not fit together between the plan and the hypervisors that Nova knows, as sentences. */
export function planGaps(plan: FencingPlan, { hypervisors }: Pick<Hosts, 'hypervisors'>): string[] {
  const known = new Set(hypervisors.map((h) => h.host));
  const without = [...known].filter((host) => levelsOf(plan, host).length === 0);
  const unknown = [...plan.hosts.keys()].filter((host) => !known.has(host));
  return [
    ...(without.length === 0
      ? []
      : [
          `no fence level for ${shortened(without, mostNamed)} in ${plan.file}: only an operator's word ("ns4 --confirm-fenced HOST") can prove them off`,
        ]),
    ...(unknown.length === 0
      ? []
      : [
          `${plan.file} has ${shortened(unknown, mostNamed)}, which Nova does not know: expected the hosts of compute services`,
        ]),
  ];
}
