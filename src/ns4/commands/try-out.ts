// `ns4 --fence HOST --action status|off|on`: the levels of a host by hand, for trying the set-up, each told on a line.
// Powering off a living host, or cutting it off, must be hard to do by accident.

import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError, UsageError } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import { type AgentAction, type AgentOutcome, runAgent } from '../fencing/agent.ts';
import { endText, listen, look, powerOff } from '../fencing/level.ts';
import {
  agentsOf,
  builtIn,
  type CephLevel,
  cutsOff,
  type Device,
  type DeviceLevel,
  deviceLabel,
  type FencingPlan,
  isListener,
  type Level,
  type LevelOutline,
  levelsOf,
  listensOnly,
  showPower,
} from '../fencing/plan.ts';
import type { CephByHand } from './ceph-by-hand.ts';
import { type Doubt, ifBelieved } from './devices-in-doubt.ts';
import { liftByAgent } from './lift-by-agent.ts';
import type { Recoveries } from './recoveries.ts';

interface TryOutParts {
  readonly plan: FencingPlan;
  /** Null: no [CEPH]. */
  readonly ceph: Pick<CephByHand, 'status' | 'off' | 'on' | 'sawOff' | 'runsSince'> | null;
  readonly timeoutMs: number;
  readonly heartbeatPeriodMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What is known of the cloud; may fail, as trying the devices needs nothing else. */
  readonly inventory: { read(): Promise<Picture | null> };
  readonly recoveries: Recoveries;
  /** Are the devices of the host in doubt? */
  doubt(): Promise<Doubt>;
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
  const doubt = await parts.doubt();
  // Those in doubt are told nothing, so that nothing has to be asked for them.
  const told = levels.filter(({ kind }) => kind === 'ceph' || doubt.kind !== 'doubted');
  const risks = action === 'status' ? [] : await risksOf(told, request, doubt, parts);
  if (risks.length > 0) await ask(risks.join('; '));
  let well = action !== 'off';
  for (const level of levels) {
    const result =
      level.kind === 'ceph'
        ? await tryCeph(level, request, doubt, parts)
        : await tryDevices(level, request, doubt, parts);
    print(`${result.well ? 'ok    ' : 'FAILED'}  ${host}, ${nameOf(level)}: ${result.text}`);
    if (action === 'off' && result.well) return true;
    well = well && result.well;
  }
  return well;
}

/** What a person has to know before these are told anything, each in words. */
async function risksOf(
  levels: readonly Level[],
  { host, action }: TryOutRequest,
  doubt: Doubt,
  parts: TryOutParts,
): Promise<string[]> {
  const isDoubtful = doubt.kind === 'unknown' && levels.some(({ kind }) => kind !== 'ceph');
  const mayHitLiving = action === 'off' && levels.length > 0 && (await mayLive(host, parts));
  return [
    ...(isDoubtful ? [doubt.why] : []),
    ...(mayHitLiving ? [`${host} may be alive: this ${whatItDoes(levels)}, and whatever runs on it`] : []),
  ];
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
  const agents = levels.flatMap(({ kind, devices }) =>
    kind === 'ceph' ? [builtIn] : devices.map(({ agent }) => agent),
  );
  const cuts = agents.some(cutsOff);
  const powers = showPower(agents);
  return [...(powers ? ['powers it off'] : []), ...(cuts ? ['cuts it off from Ceph'] : [])].join(' or ');
}

async function tryDevices(
  level: DeviceLevel,
  { host, action, level: asked }: TryOutRequest,
  doubt: Doubt,
  parts: TryOutParts,
): Promise<Tried> {
  if (doubt.kind === 'doubted' && action !== 'status') return { well: false, text: doubt.why };
  const agents = level.devices.map(({ agent }) => agent);
  if (action === 'on' && agents.some(cutsOff))
    return asked === undefined ? withoutLifting(level, host, parts) : liftByLevel(level, host, parts);
  const tried = await (action === 'off' ? off(level, parts) : run(level, action, parts));
  // Redis notes it only when it tells that the devices are in no doubt.
  if (tried.isOff === true && doubt.kind === 'none' && showPower(agents))
    await parts.ceph?.sawOff(host, nameOf(level));
  return ifBelieved(tried, doubt);
}

async function tryCeph(
  level: CephLevel,
  request: TryOutRequest,
  doubt: Doubt,
  parts: TryOutParts,
): Promise<Tried> {
  const { host, action } = request;
  const { ceph, plan, ask } = parts;
  if (ceph === null) return { well: false, text: 'this ns4 has no [CEPH]' };
  if (action !== 'on') return ceph[action](host);
  // Switched on together with the others it would be on before it was off.
  if (request.level === undefined) return entriesStay(level, host);
  const doubted = doubt.kind === 'none' ? null : doubt.why;
  return ceph.on(host, { levels: powerLevels(plan, host), doubt: doubted, ask });
}

const entriesStay = ({ number }: Level, host: string): Tried => ({
  well: true,
  text: `its entries stay; after its reboot: ns4 --fence ${host} --action on --level ${number}`,
});

/** By which the host can be seen without power. */
const powerLevels = (plan: FencingPlan, host: string): DeviceLevel[] =>
  levelsOf(plan, host).flatMap((one) => {
    const isOne = one.kind !== 'ceph' && !isListener(one) && showPower(one.devices.map(({ agent }) => agent));
    return isOne ? [one] : [];
  });

/** Only what switches its power is told `on`. */
async function withoutLifting(level: DeviceLevel, host: string, parts: TryOutParts): Promise<Tried> {
  const tried = level.devices.map((device) =>
    cutsOff(device.agent) ? entriesStay(level, host) : runOne(device, 'on', parts),
  );
  return triedTogether(level, await Promise.all(tried));
}

function liftByLevel(level: DeviceLevel, host: string, parts: TryOutParts): Promise<Tried> {
  const { plan, ceph, recoveries, timeoutMs, clock, signal, ask } = parts;
  return liftByAgent(
    host,
    {
      ...{ ...recoveries, levels: powerLevels(plan, host), look, timeoutMs, clock, signal, ask },
      runsSince: async (name) => (await ceph?.runsSince(name)) ?? null,
    },
    (held) => run(level, 'on', { ...parts, signal: held }),
  );
}

export interface Tried {
  readonly well: boolean;
  readonly text: string;
  /** It said, clearly, that its host is off; of a level: all of its devices did. */
  readonly isOff?: boolean;
}

async function off(level: DeviceLevel, parts: TryOutParts): Promise<Tried> {
  const { timeoutMs, signal, clock } = parts;
  const call = { level, timeoutMs, signal, clock };
  const result = await (isListener(level) ? listen(call) : powerOff(call));
  const how = isListener(level) ? 'its crash kernel reported' : 'off, as its status says';
  return result.off
    ? { well: true, text: `${how} (${result.output})`, isOff: !isListener(level) }
    : { well: false, text: `${result.failure.failure}: ${result.failure.detail}` };
}

/** All devices of the level, at once. */
async function run(level: DeviceLevel, action: 'on' | 'status', parts: TryOutParts): Promise<Tried> {
  const tried = await Promise.all(level.devices.map((device) => runOne(device, action, parts)));
  return { ...triedTogether(level, tried), isOff: tried.every(({ isOff }) => isOff === true) };
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
