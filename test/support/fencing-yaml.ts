// A fencing.yaml from the devices that a test plays.
import type { Device } from '../../src/ns4/fencing/plan.ts';

/** The devices of a level, or the built-in level `ceph`. */
type Level = readonly Pick<Device, 'program' | 'options'>[] | 'ceph';

/** By host its levels. */
export function fencingYaml(hosts: Readonly<Record<string, readonly Level[]>>): string {
  const written = (level: Level) =>
    level === 'ceph'
      ? { agent: 'ceph' }
      : { devices: level.map(({ program, options }) => ({ agent: program, options })) };
  const entries = Object.entries(hosts).map(([host, levels]) => [host, { levels: levels.map(written) }]);
  // JSON is YAML.
  return `${JSON.stringify({ hosts: Object.fromEntries(entries) }, null, 2)}\n`;
}
