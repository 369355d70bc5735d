// One fence level: `off`, then `status` until it says off. Only what the device itself shows afterwards is proof: an
// agent that reports success without effect proves nothing.

import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { type AgentOutcome, runAgent } from './agent.ts';
import type { Level } from './plan.ts';
import type { PowerSeen } from './proof.ts';

/** Pause between two looks at a host that still shows as on. */
const pollMs = 1_000;
/** Looks after `off`: a device that needs longer than this to show it is not believed. */
const mostLooks = 15;
/** A level that used its time up in `off` is still looked at for this long. */
const shortestLookMs = 1_000;

/** By the protocol: what `status` ends with for a host that is on, and for one that is off. */
const statusOn = 0;
const statusOff = 2;

interface LevelCall {
  readonly level: Level;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** See AgentCall. */
  readonly beforeTelling?: () => Promise<void>;
}

/** `off`: seen off, at `atMs`. */
export type LevelResult =
  | { readonly off: true; readonly atMs: number; readonly output: string }
  | { readonly off: false; readonly failure: FenceFailure };

/** Powers off and verifies; rejects when aborted, or when `beforeTelling` does. */
export async function powerOff(call: LevelCall): Promise<LevelResult> {
  const { level, clock, timeoutMs, signal } = call;
  const untilMs = clock.steadyMs() + timeoutMs;
  const failed = (failure: FenceFailure['failure'], detail: string): LevelResult => ({
    off: false,
    failure: { agent: level.agent, failure, detail: detail === '' ? 'it said nothing' : detail },
  });
  const off = await runAgent({
    level,
    signal,
    timeoutMs,
    action: 'off',
    ...(call.beforeTelling === undefined ? {} : { beforeTelling: call.beforeTelling }),
  });
  // A failed `off` is never made good by a `status`: the device that could not carry it out may be the wrong one.
  if (off.kind === 'cannot-run') return failed('cannot-run', off.said);
  if (off.kind === 'timed-out') return failed('timed-out', off.said);
  if (off.code !== 0) return failed('off-failed', endText(off));
  let last = '';
  for (let looked = 0; looked < mostLooks; looked += 1) {
    if (looked > 0) await clock.sleep(pollMs, signal);
    const leftMs = Math.max(untilMs - clock.steadyMs(), looked === 0 ? shortestLookMs : 0);
    if (leftMs <= 0) break;
    const status = await runAgent({ level, action: 'status', timeoutMs: leftMs, signal });
    if (status.kind === 'ended' && status.code === statusOff)
      return { off: true, atMs: clock.nowMs(), output: `off: ${off.said}; status: ${status.said}` };
    last = status.kind === 'timed-out' ? `"status" did not end in time: ${status.said}` : endText(status);
  }
  return failed('not-verified', last);
}

/** One look at a host by a level's device. Rejects when aborted only. */
export async function look({
  level,
  timeoutMs,
  signal,
}: Pick<LevelCall, 'level' | 'timeoutMs' | 'signal'>): Promise<PowerSeen> {
  const status = await runAgent({ level, action: 'status', timeoutMs, signal });
  const code = status.kind === 'ended' ? status.code : null;
  const says = code === statusOn ? 'on' : code === statusOff ? 'off' : 'unknown';
  return { says, said: endText(status) };
}

/** What an agent's end says, with its exit code when it said nothing. */
export function endText(outcome: AgentOutcome): string {
  if (outcome.kind !== 'ended') return outcome.said;
  const code = outcome.code === null ? 'ended by a signal' : `exit code ${outcome.code}`;
  return outcome.said === '' ? code : `${code}: ${outcome.said}`;
}
