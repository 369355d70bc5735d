// What the devices of one level show of a host, put together. Pure.
import { deviceLabel, type LevelOutline } from './plan.ts';
import type { PowerSeen } from './proof.ts';

/** On when one of them says so; off when all do. */
export function seenTogether(level: Pick<LevelOutline, 'devices'>, seen: readonly PowerSeen[]): PowerSeen {
  const isOn = seen.some(({ says }) => says === 'on');
  const says = isOn ? 'on' : seen.every((one) => one.says === 'off') ? 'off' : 'unknown';
  return { says, said: seen.map(({ said }, i) => `${deviceLabel(level, i)}${said}`).join('; ') };
}
