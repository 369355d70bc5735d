// What a plan of fencing must not hold although each of its entries is well-formed: a device that stands for two hosts,
// options that make a device say off of what is not there, a listener for crash kernels where it would hear nothing, and
// the built-in level twice. Pure.
import { quote } from '../../shared/config/keys/quote.ts';
import type { Path } from '../../shared/config/yaml-file.ts';
import type { Issue } from '../../shared/config/yaml-issues.ts';
import { builtIn, type Device, isSecretOption, type Level, listensOnly } from './plan.ts';

/** A device of the plan: for whom, in which of his levels, and where the file has it. */
export interface PlacedDevice {
  readonly host: string;
  /** Number of the level. */
  readonly level: number;
  readonly device: Device;
  readonly path: Path;
}

/**
 * Two hosts with one program and the same options: one of them would be proven off by the other one's device; twice in
 * one level, one feed would stand for two. Passwords do not tell outlets apart. `lineOf`: for the sentence.
 */
export function doubles(devices: readonly PlacedDevice[], lineOf: (path: Path) => number): Issue[] {
  const first = new Map<string, PlacedDevice>();
  return devices.flatMap((placed): Issue[] => {
    const { device, host, level, path } = placed;
    const key = identityOf(device);
    const other = first.get(key);
    if (other === undefined) first.set(key, placed);
    if (other === undefined || (other.host === host && other.level !== level)) return [];
    const same = `${device.agent} with the same options as in line ${lineOf(other.path)}`;
    const whose = other.host === host ? 'this level' : quote(other.host);
    return [{ path, message: `found ${same}, which is a device of ${whose}; expected one of its own` }];
  });
}

/** Devices of "*" that are the same whatever the host's name is; `one` and `other`: its levels for two names. */
export function shared(one: readonly Level[], other: readonly Level[], path: Path): Issue[] {
  const known = new Set(other.flatMap(({ devices }) => devices.map(identityOf)));
  return one
    .flatMap(({ devices }) => devices)
    .filter((device) => known.has(identityOf(device)))
    .map(({ agent }) => ({
      path,
      message: `${agent} has the same options for every host, expected "{host}" in one that tells them apart`,
    }));
}

function identityOf({ program, options }: Device): string {
  const told = Object.entries(options).filter(([key]) => !isSecretOption(key));
  return JSON.stringify([program, told.map(([key, value]) => [spelt(key), value]).toSorted()]);
}

/** Fence agents take "-" for "_" in names. */
const spelt = (option: string): string => option.replaceAll('-', '_').replace(/^_+/, '').toLowerCase();

/** Why an option must not be set; null: it may. */
export function unfitOption(name: string): string | null {
  const plain = spelt(name);
  if (plain === 'action' || plain === 'option') return 'is not to be set: Sonny does that';
  // fencing.py asks whether it is there at all: "0" turns it on as well.
  return plain === 'missing_as_off'
    ? 'is not to be set, whatever its value: a plug that is not there would count as off, and prove a running host off'
    : null;
}

/** Listeners for crash kernels (fence_kdump): alone in the first level, and they need to know for whom. */
export function listeners(levels: readonly Level[], paths: readonly Path[]): Issue[] {
  return levels.flatMap(({ number, devices }, i): Issue[] => {
    const device = devices.find(listensOnly);
    const path = paths[i] ?? [];
    if (device === undefined) return [];
    if (devices.length > 1)
      return [{ path, message: `${device.agent} only listens, expected it in a level of its own` }];
    if (number > 1)
      return [
        {
          path,
          message: `${device.agent} listens for a kernel that the levels before it ended, expected it as the first level`,
        },
      ];
    return (device.options.nodename ?? '') === ''
      ? [
          {
            path,
            message: 'options.nodename: missing, expected the address that its crash kernel sends from',
          },
        ]
      : [];
  });
}

/** The level `ceph` cuts all of a host off at once: a second one adds nothing but time. */
export function builtInTwice(levels: readonly Level[], paths: readonly Path[]): Issue[] {
  const places = levels.flatMap(({ kind }, i) => (kind === 'ceph' ? [paths[i] ?? []] : []));
  return places.slice(1).map((path) => ({
    path,
    message: `found ${builtIn} a second time, expected it once among the levels of a host`,
  }));
}
