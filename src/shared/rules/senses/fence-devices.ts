// Sense: the fence devices of a host. "on" says that the machine has power, not that it works, so it is no sign of life by
// itself; "off" of all that were asked is silence. Pure.
import type { Reading, Sense, SenseCase } from './sense.ts';

export const fenceDevicesSense: Sense = {
  name: 'fence-devices',
  kind: 'fence',
  title: 'its fence devices',
  help: 'levels of this host in fencing.yaml whose devices answer',
  speak,
};

function speak({ looked }: SenseCase): Reading {
  const devices = looked?.devices ?? [];
  if (devices.length === 0) return { says: 'cannot-tell', why: 'no device of it was asked', heardAtMs: null };
  const why = devices
    .map(({ name, power, detail }) => `${name} ${power === 'unknown' ? detail : `says ${power}`}`)
    .join(', ');
  const isOff = devices.every(({ power }) => power === 'off');
  return { says: isOff ? 'silent' : 'cannot-tell', why, heardAtMs: null };
}
