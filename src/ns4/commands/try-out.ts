// `ns4 --fence HOST --action status|off|on`: the levels of a host by hand, for trying the set-up, each told on a line.
// Powering off a living host, or cutting it off, must be hard to do by accident.

import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError, UsageError } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import { type AgentAction, type AgentOutcome, runAgent } from '../fencing/agent.ts';
import { endText, listen, powerOff } from '../fencing/level.ts';
import {
  agentsOf,
  builtIn,
  type CephLevel,
  type Device,
  type DeviceLevel,
  deviceLabel,
  type FencingPlan,
  isListener,
  type Level,
  type LevelOutline,
  levelsOf,
  listensOnly,
} from '../fencing/plan.ts';
import type { CephByHand } from './ceph-by-hand.ts';

interface TryOutParts {
  readonly plan: FencingPlan;
  /** Null: no [CEPH]. */
  readonly ceph: Pick<CephByHand, 'status' | 'off' | 'on' | 'sawOff'> | null;
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
export async function tryLevels(request: TryOutRequest, parts: TryOutParts): Promise<boolean> {
  const { host, action } = request;
  const { print, ask } = parts;
  const levels = chosenLevels(request, parts);
  if (action === 'off' && (await mayLive(host, parts)))
    await ask(`${host} may be alive: this ${whatItDoes(levels)}, and whatever runs on it`);
  let well = action !== 'off';
  for (const level of levels) {
    const result =
      level.kind === 'ceph'
        ? await tryCeph(level, request, parts)
        : await (action === 'off' ? off(level, host, parts) : run(level, action, host, parts));
    print(`${result.well ? 'ok    ' : 'FAILED'}  ${host}, ${nameOf(level)}: ${result.text}`);
    if (action === 'off' && result.well) return true;
    well = well && result.well;
  }
  return well;
}

interface TryOutRequest {
  readonly host: string;
  readonly action: AgentAction;
  /** By its number, or the one that is built in, which needs no fencing.yaml. */
  readonly level?: number | typeof builtIn | undefined;
}

/** The level `ceph` of a host that has it in no plan. */
const unplanned: CephLevel = { number: 0, kind: 'ceph', devices: [] };

/** @throws UsageError when there are none */
function chosenLevels({ host, level }: TryOutRequest, { plan }: TryOutParts): readonly Level[] {
  const all = levelsOf(plan, host);
  if (level === builtIn) return [all.find(({ kind }) => kind === 'ceph') ?? unplanned];
  if (all.length === 0) throw new UsageError([`${plan.file} has no levels for ${host}`]);
  const levels = level === undefined ? all : all.filter(({ number }) => number === level);
  if (levels.length === 0)
    throw new UsageError([`${host} has ${all.length} levels, expected --level from 1 to ${all.length}`]);
  return levels;
}

const nameOf = (level: Level): string =>
  level.number === 0 ? builtIn : `level ${level.number}, ${agentsOf(level)}`;

function whatItDoes(levels: readonly Level[]): string {
  const cuts = levels.some(({ kind }) => kind === 'ceph');
  const powers = levels.some(({ kind }) => kind !== 'ceph');
  return [...(powers ? ['powers it off'] : []), ...(cuts ? ['cuts it off from Ceph'] : [])].join(' or ');
}

async function tryCeph(level: CephLevel, request: TryOutRequest, parts: TryOutParts): Promise<Tried> {
  const { host, action } = request;
  const { ceph, plan, ask } = parts;
  if (ceph === null) return { well: false, text: 'this ns4 has no [CEPH]' };
  if (action !== 'on') return ceph[action](host);
  // Switched on together with the others it would be on before it was off.
  if (request.level === undefined)
    return {
      well: true,
      text: `its entries stay; after its reboot: ns4 --fence ${host} --action on --level ${level.number}`,
    };
  const devices = levelsOf(plan, host).flatMap((one) =>
    one.kind === 'ceph' || isListener(one) ? [] : [one],
  );
  return ceph.on(host, devices, ask);
}

export interface Tried {
  readonly well: boolean;
  readonly text: string;
  /** It said, clearly, that its host is off. */
  readonly isOff?: boolean;
}

async function off(level: DeviceLevel, host: string, parts: TryOutParts): Promise<Tried> {
  const { timeoutMs, signal, clock } = parts;
  const call = { level, timeoutMs, signal, clock };
  const result = await (isListener(level) ? listen(call) : powerOff(call));
  if (result.off && !isListener(level)) await parts.ceph?.sawOff(host, nameOf(level));
  const how = isListener(level) ? 'its crash kernel reported' : 'off, as its status says';
  return result.off
    ? { well: true, text: `${how} (${result.output})` }
    : { well: false, text: `${result.failure.failure}: ${result.failure.detail}` };
}

/** All devices of the level, at once. */
async function run(
  level: DeviceLevel,
  action: 'on' | 'status',
  host: string,
  parts: TryOutParts,
): Promise<Tried> {
  const tried = await Promise.all(level.devices.map((device) => runOne(device, action, parts)));
  if (tried.every(({ isOff }) => isOff === true)) await parts.ceph?.sawOff(host, nameOf(level));
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
  const empty = picture.mostInstancesOn(host) === 0;
  return !((hypervisor.state === 'down' && silent) || (hypervisor.status === 'disabled' && empty));
}
