// The port to the fence devices of hosts, and its making where they can be reached from here. Whoever decides on levels
// and shots (fencing.ts) knows no program and no option. No decision is made here.
import type { FenceRight } from '../../shared/documents/jobs/fence.ts';
import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { type LevelResult, listen, lookByEach, powerOff } from './level.ts';
import {
  agentsOf,
  type DeviceLevel,
  type DeviceOutline,
  type FencingPlan,
  type LevelOutline,
  levelsOf,
  outlineOf,
} from './plan.ts';
import type { PowerSeen } from './proof.ts';

/** A level that is to power a host off. */
export interface DevicesCall {
  readonly host: string;
  readonly level: DeviceOutline;
  /** For all of its devices together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface OffCall extends DevicesCall {
  /** Which devices are told, by their places from 0; absent: all. The others are only asked. */
  readonly tell?: readonly number[];
  /** Under whose lock. */
  readonly right: FenceRight;
  /** See AgentCall. */
  readonly beforeTelling: () => Promise<void>;
}

/** Which level is asked: its number and its agents (agentsOf), as another plan may have another one there. */
export interface AskedLevel {
  readonly number: number;
  readonly agent: string;
  /** Which of its devices, by their places from 0; absent: all. */
  readonly devices?: readonly number[];
}

/** All reject when aborted, and without Redis where they need it. The level `ceph` has none, and is never asked here. */
export interface Devices {
  /** The levels of a host, in their order; a failure when nobody can tell them. */
  levelsOf(host: string, signal: AbortSignal): Promise<readonly LevelOutline[] | FenceFailure>;
  /** See powerOff in level.ts; rejects when `beforeTelling` does, too. */
  powerOff(call: OffCall): Promise<LevelResult>;
  /** See listen in level.ts. */
  listen(call: DevicesCall): Promise<LevelResult>;
  /** What the devices asked show now; null: the host has no such level (any more). */
  look(
    host: string,
    level: AskedLevel,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly PowerSeen[] | null>;
}

/** Those of a plan, by agents that run here. */
export function devicesOf(plan: FencingPlan, clock: Clock): Devices {
  const levelOf = (host: string, number: number, agent: string): DeviceLevel | undefined => {
    const found = levelsOf(plan, host).find((level) => level.number === number && agentsOf(level) === agent);
    return found?.kind === 'ceph' ? undefined : found;
  };
  const planned = ({ host, level }: DevicesCall): DeviceLevel => {
    const found = levelOf(host, level.number, agentsOf(level));
    if (found === undefined) throw new Error(`level ${level.number} of ${host} is none of ${plan.file}`);
    return found;
  };
  return {
    levelsOf: async (host) => levelsOf(plan, host).map(outlineOf),
    powerOff: async ({ right: _, ...call }) => powerOff({ ...call, level: planned(call), clock }),
    listen: async (call) => listen({ ...call, level: planned(call), clock }),
    async look(host, { number, agent, devices }, timeoutMs, signal) {
      const level = levelOf(host, number, agent);
      if (level === undefined) return null;
      return lookByEach({ level, devices, timeoutMs, signal });
    },
  };
}
