// What a history is drawn with, and the machines that Sonny's processes run on.
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import type { ScanSettings } from '../../src/shared/config/settings.ts';
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

/** What one worker's configuration says otherwise than the others'. */
export interface Difference extends Partial<Rules> {
  /** For what it asks itself; the monitor's scans go by the monitor's. */
  readonly quorum?: number;
  /** What its scanner takes a refused connection for; the others: alive. */
  readonly refusedMeans?: ScanSettings['refusedMeans'];
}

/** A machine on which one process runs, again and again. */
export interface Seat<T> {
  readonly name: string;
  readonly machine: Machine;
  differs: Difference;
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
