// What the operator decided (from config.ini), and the fixed limits of the monitor's core.
import type { FencingMode } from '../../../shared/documents/terms/fencing-mode.ts';

/**
 * The operator's decisions, one value per cloud. `policyOf` in shared/rules/policy.ts says what they mean for one host.
 */
export interface Rules {
  readonly monitorPeriodMs: number;
  readonly heartbeatPeriodMs: number;
  readonly suspiciousBackoff: number;
  readonly deadBackoff: number;
  readonly cooldownMs: number;
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  /** `required`: ns4 proves a host off before it evacuates, so a silent one without witnesses may be recovered. */
  readonly fencing: FencingMode;
  /** Ceph is asked by whom the disks of instances are open: whoever answers lives, and no answer is no verdict. */
  readonly asksDisks: boolean;
  /** What is done when a host dies whose service an operator disabled; see shared/rules/policy.ts. */
  readonly disabledHosts: 'leave' | 'recover';
}

/** An inventory older than this judges nobody (the original: API alive within the last 60 s). */
export const freshMs = 60_000;
/** Shortest pause between two checks, however many heartbeats are about to run out. */
export const shortestPauseMs = 1_000;
/** Guests of healthy hypervisors, probed along with a scan of guests as controls. */
export const controlGuestCount = 20;
/** …and so many of them on each network that a witness is on, as many are behind a firewall and never answer. */
export const controlGuestsPerNetwork = 10;
/** How often a recovery is handed to a further worker before the monitor gives it up. */
export const mostAttempts = 20;
/** Reports of ended recoveries that are kept, the newest last. */
export const mostReports = 20;
