// The most important sentence there is: instances may run on two hosts at once, each writing to the same disks.
import { quoted } from '../../ground/plain.ts';
import { list } from './words.ts';

/** `instances`: names; none: nobody knows which. */
export function twiceText(host: string, instances: readonly string[]): string {
  if (instances.length === 0) return `Power ${host} off now.`;
  const run = instances.length === 1 ? '1 instance' : `${instances.length} instances`;
  return `${run} may run TWICE: ${list(
    instances.map((name) => quoted(name)),
    50,
  )}. Power ${host} off now.`;
}

/** The same where some may run twice although nobody knows which: nothing was remembered, and Nova cannot be asked. */
export const mayRunTwiceText = (host: string, instances: readonly string[]): string =>
  instances.length === 0
    ? `Instances may run TWICE, nobody knows which. Power ${host} off now.`
    : twiceText(host, instances);
