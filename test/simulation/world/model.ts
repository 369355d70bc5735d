// The nouns of the pretend world: machines with their networks, and guests that truly run somewhere, beside what Nova
// believes of them.
import type { ServerAddress } from '../../../src/shared/documents/inventory.ts';

/** Something on a host that reports at intervals: a network agent, or nova-compute. */
export interface Reporter {
  readonly binary: string;
  readonly intervalMs: number;
  readonly offsetMs: number;
  /** Reports arrive since then; null: they do not. */
  sinceMs: number | null;
  /** The last one that arrived before `sinceMs`, or before the reports ended. */
  lastMs: number;
  broken: boolean;
}

export interface Host {
  readonly name: string;
  address: string | null;
  readonly zone: string;
  readonly aggregates: readonly string[];
  readonly vcpus: number;
  powered: boolean;
  /** The kernel stands still: nothing runs or answers, yet all of it goes on if it thaws. */
  frozen: boolean;
  /** Agents and nova-compute hang; the kernel answers, guests run. */
  controlHung: boolean;
  /** Its fencing device: `deaf` does as it is told and never answers. */
  bmc: 'works' | 'dead' | 'deaf';
  /** Networks that do not carry: to RabbitMQ, to ns4, of the guests, to Ceph. */
  readonly cut: { reports: boolean; management: boolean; guests: boolean; storage: boolean };
  /** The switched outlet it is plugged into, the second level of its fencing; `none`: there is no second level. */
  outlet: 'works' | 'dead' | 'none';
  readonly agents: readonly Reporter[];
  readonly compute: Reporter;
  status: 'enabled' | 'disabled';
  disabledReason: string | null;
  forcedDown: boolean;
  /** Nova's count, renewed by a living nova-compute only. */
  shownRunning: number;
  /** Since when the machine answers on its own network; null: it does not. */
  answersSinceMs: number | null;
  /** Since when it does not; meaningless while it does. */
  mutedSinceMs: number;
  /** Since when its agents' reports arrive; null: they do not. */
  reportsSinceMs: number | null;
}

export interface Guest {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly addresses: readonly ServerAddress[];
  /** Its firewall swallows everything, as many do. */
  readonly mute: boolean;
  /** The truth: hosts on which a process of it exists and writes, or will when its host thaws. */
  readonly runsOn: Set<string>;
  /** Nova's view. */
  host: string;
  vmState: 'active' | 'stopped' | 'paused' | 'error' | 'shelved_offloaded';
  /** Where its row in the database was before somebody rewrote it. */
  movedFrom: string | null;
  taskState: string | null;
  fault: string | null;
  portHost: string;
  /** The binding failed, as the host had no living agent. */
  portFailed: boolean;
  deleted: boolean;
  /** What Nova makes of the next rebuilds of it. */
  readonly troubles: ('fails' | 'sticks')[];
}

export interface Migration {
  readonly uuid: string;
  readonly guest: Guest;
  readonly source: string;
  readonly target: string;
  readonly createdAtMs: number;
  status: 'accepted' | 'pre-migrating' | 'done' | 'failed' | 'error';
}

/** The newest report that arrived: on the reporter's own beat, as long as reports arrive. */
export function lastReport(reporter: Reporter, nowMs: number): number {
  if (reporter.sinceMs === null) return reporter.lastMs;
  const beats = Math.floor((nowMs - reporter.offsetMs) / reporter.intervalMs);
  return Math.max(reporter.sinceMs, beats * reporter.intervalMs + reporter.offsetMs);
}
