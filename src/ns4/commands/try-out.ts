// `ns4 --fence HOST --action status|off|on`: the levels of a host by hand, for trying the set-up, each told on a line.
// Powering off a living host must be hard to do by accident.

import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError, UsageError } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import { type AgentAction, type AgentOutcome, runAgent } from '../fencing/agent.ts';
import { endText, listen, powerOff } from '../fencing/level.ts';
import {
  agentsOf,
  type Device,
  deviceLabel,
  type FencingPlan,
  isListener,
  type Level,
  type LevelOutline,
  levelsOf,
  listensOnly,
} from '../fencing/plan.ts';

interface TryOutParts {
  readonly plan: FencingPlan;
  readonly timeoutMs: number;
  readonly heartbeatPeriodMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What is known of the cloud; may fail, as trying the devices needs nothing else. */
  readonly inventory: { read(): Promise<Picture | null> };
  ask(what: string): Promise<void>;
  print(line: string): void;
}

/**
 * `status` and `on`: every level; `off`: in their order until one proves it, as in a recovery. True when all went well.
 */
export async function tryLevels(
  request: { readonly host: string; readonly action: AgentAction; readonly level?: number | undefined },
  parts: TryOutParts,
): Promise<boolean> {
  const { host, action } = request;
  const { plan, print, ask } = parts;
  const all = levelsOf(plan, host);
  if (all.length === 0) throw new UsageError([`${plan.file} has no levels for ${host}`]);
  const levels = request.level === undefined ? all : all.filter((level) => level.number === request.level);
  if (levels.length === 0)
    throw new UsageError([`${host} has ${all.length} levels, expected --level from 1 to ${all.length}`]);
  if (action === 'off' && (await mayLive(host, parts)))
    await ask(`${host} may be alive: this powers it off, and whatever runs on it`);
  let well = action !== 'off';
  for (const level of levels) {
    const result = action === 'off' ? await off(level, parts) : await run(level, action, parts);
    print(
      `${result.well ? 'ok    ' : 'FAILED'}  ${host}, level ${level.number}, ${agentsOf(level)}: ${result.text}`,
    );
    if (action === 'off' && result.well) return true;
    well = well && result.well;
  }
  return well;
}

export interface Tried {
  readonly well: boolean;
  readonly text: string;
  /** It said, clearly, that its host is off. */
  readonly isOff?: boolean;
}

async function off(level: Level, { timeoutMs, signal, clock }: TryOutParts): Promise<Tried> {
  const call = { level, timeoutMs, signal, clock };
  const result = await (isListener(level) ? listen(call) : powerOff(call));
  const how = isListener(level) ? 'its crash kernel reported' : 'off, as its status says';
  return result.off
    ? { well: true, text: `${how} (${result.output})` }
    : { well: false, text: `${result.failure.failure}: ${result.failure.detail}` };
}

/** All devices of the level, at once. */
async function run(level: Level, action: 'on' | 'status', parts: TryOutParts): Promise<Tried> {
  const tried = await Promise.all(level.devices.map((device) => runOne(device, action, parts)));
  return triedTogether(level, tried);
}

async function runOne(device: Device, action: 'on' | 'status', parts: TryOutParts): Promise<Tried> {
  const { timeoutMs, signal } = parts;
  if (action === 'status' || listensOnly(device)) return askStatus(device, timeoutMs, signal);
  const outcome = await runAgent({ device, action, timeoutMs, signal });
  const well = outcome.kind === 'ended' && outcome.code === 0;
  return { well, text: well ? `on (${outcome.said})` : failureText(outcome, timeoutMs) };
}

/** Well when all devices of the level are; each in its own words where they are several. */
export function triedTogether(level: Pick<LevelOutline, 'devices'>, tried: readonly Tried[]): Tried {
  const texts = tried.map(({ text }, i) => `${deviceLabel(level, i)}${text}`);
  return { well: tried.every(({ well }) => well), text: texts.join('; ') };
}

/** What a device says of its host, for people: "on", "off", or how asking it failed. Rejects when aborted only. */
export async function askStatus(device: Device, timeoutMs: number, signal: AbortSignal): Promise<Tried> {
  if (listensOnly(device)) return { well: true, text: 'listens for its crash kernel, and switches nothing' };
  return statusOf(await runAgent({ device, action: 'status', timeoutMs, signal }), timeoutMs);
}

function statusOf(outcome: AgentOutcome, timeoutMs: number): Tried {
  if (outcome.kind === 'ended' && outcome.code === 0) return { well: true, text: 'on' };
  if (outcome.kind === 'ended' && outcome.code === 2) return { well: true, text: 'off', isOff: true };
  return { well: false, text: failureText(outcome, timeoutMs) };
}

const failureText = (outcome: AgentOutcome, timeoutMs: number): string =>
  outcome.kind === 'timed-out'
    ? [`not ended after ${timeoutMs / 1000} s`, outcome.said].filter(Boolean).join(': ')
    : endText(outcome);

/** Unless the stored inventory shows it as down and silent, or as set aside with nothing on it. */
async function mayLive(host: string, { inventory, clock, heartbeatPeriodMs }: TryOutParts): Promise<boolean> {
  let picture: Picture | null;
  try {
    picture = await inventory.read();
  } catch (error) {
    if (error instanceof OperationalError || error instanceof Error) return true;
    throw error;
  }
  const hypervisor = picture?.hypervisor(host);
  if (picture === null || hypervisor === undefined || picture.serversCollectedAtMs === null) return true;
  const silent = heartbeatOf(host, picture, clock.nowMs(), { heartbeatPeriodMs }).says === 'silent';
  const empty = picture.instancesOn(host) === 0 && hypervisor.runningVms === 0;
  return !((hypervisor.state === 'down' && silent) || (hypervisor.status === 'disabled' && empty));
}
