// One fence level: `off` to its devices, then `status` until all of them say off in one look. Only what the devices
// themselves show afterwards is proof: an agent that reports success without effect proves nothing, and of two feeds one
// neither.

import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { type AgentOutcome, runAgent } from './agent.ts';
import { agentsOf, type Device, type DeviceLevel, deviceLabel } from './plan.ts';
import type { PowerSeen } from './proof.ts';
import { seenTogether } from './seen-together.ts';
import type { Shot } from './shots.ts';

/** Pause between two looks at a host that still shows as on. */
const pollMs = 1_000;
/** Looks after `off`: a device that needs longer than this to show it is not believed. */
const mostLooks = 15;
/** A level that used its time up in `off` is still looked at for this long. */
const shortestLookMs = 1_000;
/** For the look at what a failed `off` did. */
const aftermathMs = 3_000;

/** By the protocol: what `status` ends with for a host that is on, and for one that is off. */
const statusOn = 0;
const statusOff = 2;

interface LevelCall {
  readonly level: DeviceLevel;
  /** For all of its devices together, which are told and asked at once. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Which devices are told `off`, by their places from 0; absent: all. The others are only asked. */
  readonly tell?: readonly number[];
  /** See AgentCall. Asked once for all devices of the level, which are told together after it. */
  readonly beforeTelling?: () => Promise<void>;
}

/** What the `off` to one device did, as far as it can be told; `device`: its place from 0. */
type DeviceEnd = Pick<Shot, 'effect' | 'seenOff'> & { readonly device: number };

/** `off`: seen off, at `atMs`. `told`: what became of each `off`. */
export type LevelResult = (
  | { readonly off: true; readonly atMs: number; readonly output: string }
  | { readonly off: false; readonly failure: FenceFailure }
) & { readonly told: readonly DeviceEnd[] };

/** Powers off and verifies; rejects when aborted, or when `beforeTelling` does. */
export async function powerOff(call: LevelCall): Promise<LevelResult> {
  const { level, clock, timeoutMs, signal } = call;
  const untilMs = clock.steadyMs() + timeoutMs;
  const offs = await tellAll(call);
  const failed = (
    failure: FenceFailure['failure'],
    said: string,
    told: readonly DeviceEnd[],
  ): LevelResult => ({
    off: false,
    failure: { agent: agentsOf(level), failure, detail: said },
    told,
  });
  // A failed `off` is never made good by a `status`: the device that could not carry it out may be the wrong one.
  const at = offs.findIndex((off) => off !== null && failureOf(off) !== null);
  const first = offs[at] ?? null;
  const failure = first === null ? null : failureOf(first);
  if (first !== null && failure !== null) {
    const said = failure === 'off-failed' ? endText(first) : first.said;
    return failed(failure, saidBy(level, at, said), await aftermath(offs, level, signal));
  }
  const seenOff = new Set<number>();
  const ends = (): DeviceEnd[] =>
    offs.flatMap((off, device) =>
      off === null ? [] : [{ device, effect: 'taken' as const, seenOff: seenOff.has(device) }],
    );
  let last = saidBy(level, 0, '');
  for (let looked = 0; looked < mostLooks; looked += 1) {
    if (looked > 0) await clock.sleep(pollMs, signal);
    const leftMs = Math.max(untilMs - clock.steadyMs(), looked === 0 ? shortestLookMs : 0);
    if (leftMs <= 0) break;
    const each = await askAll(level, leftMs, signal);
    each.forEach((status, device) => {
      if (isOff(status)) seenOff.add(device);
    });
    const still = each.findIndex((status) => !isOff(status));
    if (still === -1) {
      const words = each.map((status, i) => {
        const off = offs[i] ?? null;
        return `${deviceLabel(level, i)}${off === null ? '' : `off: ${off.said}; `}status: ${status.said}`;
      });
      return { off: true, atMs: clock.nowMs(), output: words.join('; '), told: ends() };
    }
    const status = each[still] as AgentOutcome;
    last = saidBy(
      level,
      still,
      status.kind === 'timed-out' ? `"status" did not end in time: ${status.said}` : endText(status),
    );
  }
  return failed('not-verified', last, ends());
}

/** The `off` of each device that is to be told; all of them have ended when this settles. */
async function tellAll(call: LevelCall): Promise<(AgentOutcome | null)[]> {
  const { level, timeoutMs, signal, tell, beforeTelling } = call;
  let permission: Promise<void> | null = null;
  // One permission for all: they leave together, right after it.
  const permitted = () => {
    permission ??= beforeTelling?.() ?? Promise.resolve();
    return permission;
  };
  return together(
    level.devices.map(async (device, i) =>
      tell === undefined || tell.includes(i)
        ? runAgent({ device, signal, timeoutMs, action: 'off', beforeTelling: permitted })
        : null,
    ),
  );
}

/** Every one is waited for, also where one rejects: no agent is left behind. */
async function together<T>(all: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(all);
  return Promise.all(all);
}

const askAll = (level: DeviceLevel, timeoutMs: number, signal: AbortSignal): Promise<AgentOutcome[]> =>
  together(level.devices.map((device) => runAgent({ device, action: 'status', timeoutMs, signal })));

const isOff = (status: AgentOutcome): boolean => status.kind === 'ended' && status.code === statusOff;

/** Why an `off` is none; null: it was carried out, as its agent says. */
function failureOf(off: AgentOutcome): FenceFailure['failure'] | null {
  if (off.kind !== 'ended') return off.kind;
  return off.code === 0 ? null : 'off-failed';
}

const saidBy = (level: DeviceLevel, index: number, said: string): string =>
  `${deviceLabel(level, index)}${said === '' ? 'it said nothing' : said}`;

/** What became of each `off` where one of them failed: those devices are looked at once. */
async function aftermath(
  offs: readonly (AgentOutcome | null)[],
  level: DeviceLevel,
  signal: AbortSignal,
): Promise<DeviceEnd[]> {
  const ends = await together(
    offs.map(async (off, device): Promise<DeviceEnd | null> => {
      if (off === null) return null;
      if (off.kind === 'cannot-run') return { device, effect: 'none', seenOff: false };
      const { says } = await lookAt(level.devices[device] as Device, aftermathMs, signal);
      const effect = failureOf(off) === null ? 'taken' : says === 'on' ? 'none' : 'unknown';
      return { device, effect, seenOff: says === 'off' };
    }),
  );
  return ends.filter((end) => end !== null);
}

/**
 * Waits for a message of the host's crash kernel: nothing is switched, and there is no `status` to ask. `off`: it came,
 * and its sender's own kernel is dead. Rejects when aborted only.
 */
export async function listen({
  level,
  timeoutMs,
  signal,
  clock,
}: Omit<LevelCall, 'tell' | 'beforeTelling'>): Promise<LevelResult> {
  const agent = agentsOf(level);
  const [device] = level.devices;
  if (device === undefined) throw new Error('a level without a device');
  const heard = await runAgent({ device, action: 'off', timeoutMs, signal });
  if (heard.kind === 'ended' && heard.code === 0)
    return { off: true, atMs: clock.nowMs(), output: heard.said, told: [] };
  const failure = heard.kind === 'cannot-run' ? 'cannot-run' : 'no-message';
  const said = heard.kind === 'timed-out' ? `within ${timeoutMs / 1_000} s: ${heard.said}` : endText(heard);
  return { off: false, failure: { agent, failure, detail: said }, told: [] };
}

/** One look at a host by one device. Rejects when aborted only. */
async function lookAt(device: Device, timeoutMs: number, signal: AbortSignal): Promise<PowerSeen> {
  const status = await runAgent({ device, action: 'status', timeoutMs, signal });
  const code = status.kind === 'ended' ? status.code : null;
  const says = code === statusOn ? 'on' : code === statusOff ? 'off' : 'unknown';
  return { says, said: endText(status) };
}

/** One look at a host by the devices of a level, at once; `devices`: by their places from 0; absent: by all. */
export async function lookByEach({
  level,
  devices,
  timeoutMs,
  signal,
}: Pick<LevelCall, 'level' | 'timeoutMs' | 'signal'> & {
  readonly devices?: readonly number[] | undefined;
}): Promise<PowerSeen[]> {
  const asked = devices === undefined ? level.devices : level.devices.filter((_, i) => devices.includes(i));
  return together(asked.map((device) => lookAt(device, timeoutMs, signal)));
}

/** The same of all devices of a level, put together. */
export async function look(call: Pick<LevelCall, 'level' | 'timeoutMs' | 'signal'>): Promise<PowerSeen> {
  return seenTogether(call.level, await lookByEach(call));
}

/** What an agent's end says, with its exit code when it said nothing. */
export function endText(outcome: AgentOutcome): string {
  if (outcome.kind !== 'ended') return outcome.said;
  const code = outcome.code === null ? 'ended by a signal' : `exit code ${outcome.code}`;
  return outcome.said === '' ? code : `${code}: ${outcome.said}`;
}
