// A fencing.yaml from the devices that a test plays.
import type { Device } from '../../src/ns4/fencing/plan.ts';

/** By host its levels, each with its devices. */
export function fencingYaml(
  hosts: Readonly<Record<string, readonly (readonly Pick<Device, 'program' | 'options'>[])[]>>,
): string {
  const levels = (of: readonly (readonly Pick<Device, 'program' | 'options'>[])[]) =>
    of.map((devices) => ({ devices: devices.map(({ program, options }) => ({ agent: program, options })) }));
  const entries = Object.entries(hosts).map(([host, of]) => [host, { levels: levels(of) }]);
  // JSON is YAML.
  return `${JSON.stringify({ hosts: Object.fromEntries(entries) }, null, 2)}\n`;
}
