// What a history is drawn with, and the machines that Sonny's processes run on.
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import type { Machine, Process } from './processes/process.ts';
import type { VantagePoint } from './processes/vantage-point.ts';
import type { Weather } from './weather.ts';

export interface Setting {
  readonly rules: Rules;
  /** May change while the history runs. */
  readonly weather: Weather;
  readonly workers: number;
  readonly monitors: number;
  /** So many vantage points must agree. */
  readonly quorum: number;
  readonly method: 'api' | 'database';
  readonly concurrency: number;
  /** What fencing.yaml has for every host, where disks are on Ceph: its level that is built in, alone or beside devices. */
  readonly levels: 'devices' | 'ceph' | 'ceph first' | 'ceph last';
  readonly startMs: number;
}

/** A machine on which one process runs, again and again. */
export interface Seat<T> {
  readonly name: string;
  readonly machine: Machine;
  /** What its configuration says otherwise than the others'. */
  differs: Partial<Rules>;
  readonly redisLine: { cut: boolean };
  readonly cloudLine: { cut: boolean };
  readonly vantagePoint: VantagePoint;
  /** Hosts for which its plan of fencing names the device of another one. */
  readonly aims: Map<string, string>;
  /** Of a worker: does it ask and tell fence devices itself ([SCAN] fences)? */
  fences: boolean;
  process: Process | null;
  role: T | null;
  lives: number;
}
