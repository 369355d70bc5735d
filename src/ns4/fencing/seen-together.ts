// What the devices of one level show of a host, put together. Pure.
import { type DeviceOutline, deviceLabel } from './plan.ts';
import type { PowerSeen } from './proof.ts';

/** On when one of them says so; off when all do, and somebody was asked. */
export function seenTogether(level: Pick<DeviceOutline, 'devices'>, seen: readonly PowerSeen[]): PowerSeen {
  const isOn = seen.some(({ says }) => says === 'on');
  const isOff = seen.length > 0 && seen.every((one) => one.says === 'off');
  const says = isOn ? 'on' : isOff ? 'off' : 'unknown';
  return { says, said: seen.map(({ said }, i) => `${deviceLabel(level, i)}${said}`).join('; ') };
}
