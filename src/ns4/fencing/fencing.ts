// The port through which a recovery gets its proof, and its making from the plan and the operators' confirmations.

import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import { type LevelResult, look, powerOff } from './level.ts';
import type { Confirmation, OperatorConfirmations } from './operator-confirmations.ts';
import { type FencingPlan, type Level, levelsOf } from './plan.ts';
import type { PowerSeen, Proof, ProofByAgent } from './proof.ts';
import { again, type Shot, type Shots } from './shots.ts';

export interface FenceRequest {
  readonly host: string;
  /** A level that was told `off` in it may not be told again; see shots.ts. */
  readonly incident: string;
  readonly signal: AbortSignal;
  /**
   * The newest sign of life of the host that is known of; null: none. An operator's confirmation older than it is void.
   */
  readonly heardAtMs: number | null;
  /**
   * Right before each `off` leaves: resolves only with a fresh right to power the host off, rejects when it must not be
   * (any more). Whatever it rejects with, `fence` rejects with.
   */
  readonly beforeOff: (level: Pick<Level, 'agent' | 'number'>) => Promise<void>;
}

export type FenceOutcome =
  | { readonly proven: true; readonly proof: Proof }
  | { readonly proven: false; readonly failures: readonly FenceFailure[] };

/** Proves that hosts are off. Null in place of it: nobody asks for proof. */
export interface Fencing {
  /**
   * Tries the host's levels in order; a failure is a value. Rejects only by `beforeOff` or `signal`, or without Redis.
   */
  fence(request: FenceRequest): Promise<FenceOutcome>;
  /** The proof is kept in a journal: a confirmation that it rests on is used up. */
  kept(host: string, proof: Proof): Promise<void>;
  /** Asks the very device that gave this proof, once and not for long. Rejects by `signal` only. */
  lookAgain(host: string, proof: ProofByAgent, signal: AbortSignal): Promise<PowerSeen>;
}

/**
 * With a confirmation the devices are still asked, as they make a wrong one harmless, but nobody waits for them long.
 */
const timeoutWhenConfirmedMs = 15_000;
/** No longer than the scan of a silent host that goes on beside it. */
const lookAgainMs = 3_000;
/** A confirmation of the future is one of another clock: nobody could say which heartbeats came after it. */
const clockMarginMs = 5_000;

interface FencingParts {
  readonly plan: FencingPlan;
  readonly confirmations: OperatorConfirmations;
  readonly shots: Shots;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export function createFencing(parts: FencingParts): Fencing {
  const { plan, confirmations, timeoutMs, log } = parts;
  return {
    async fence(request) {
      const { host, heardAtMs } = request;
      const given = await usableConfirmation(host, heardAtMs, parts);
      const limitMs = given === null ? timeoutMs : Math.min(timeoutMs, timeoutWhenConfirmedMs);
      const failures: FenceFailure[] = [];
      for (const level of levelsOf(plan, host)) {
        const result =
          (await unlessToldBefore(level, given, request, parts)) ??
          (await shoot(level, limitMs, request, parts));
        const { agent, number } = level;
        const failed = failures.map(failureText);
        if (result.off) {
          const { atMs, output } = result;
          return { proven: true, proof: { by: 'agent', agent, level: number, atMs, output, failed } };
        }
        failures.push(result.failure);
        log.warn({ host, ...result.failure }, `fence level ${number} of ${host} failed`);
      }
      // Whoever sees the levels fail goes and looks: his confirmation counts for the attempt that is under way.
      const confirmation = given ?? (await usableConfirmation(host, heardAtMs, parts));
      if (confirmation === null) return { proven: false, failures };
      return { proven: true, proof: { by: 'operator', ...confirmation, failed: failures.map(failureText) } };
    },
    async kept(host, proof) {
      if (proof.by === 'operator') await confirmations.useUp(host);
    },
    async lookAgain(host, proof, signal) {
      const level = levelsOf(plan, host).find((l) => l.number === proof.level && l.agent === proof.agent);
      // Another fencing.yaml than when it was fenced.
      if (level === undefined) return { says: 'unknown', said: `${proof.agent} is no level of it any more` };
      return look({ level, signal, timeoutMs: lookAgainMs });
    },
  };
}

/** `off`, and what became of it is kept for the next attempt of this incident. */
async function shoot(
  level: Level,
  limitMs: number,
  { host, incident, signal, beforeOff }: FenceRequest,
  { shots, clock }: FencingParts,
): Promise<LevelResult> {
  const { agent, number } = level;
  const result = await powerOff({
    ...{ level, signal, clock, timeoutMs: limitMs },
    beforeTelling: () => beforeOff({ agent, number }),
  });
  const before = await shots.last(host, incident, number);
  const shot = { level: number, agent, atMs: clock.nowMs(), ...(await effectOf(result, level, signal)) };
  await shots.record(host, incident, { ...shot, seenOff: shot.seenOff || before?.seenOff === true });
  return result;
}

/** What a level's `off` did, as far as it can be told: a failed one is followed by a look. */
async function effectOf(
  result: LevelResult,
  level: Level,
  signal: AbortSignal,
): Promise<Pick<Shot, 'effect' | 'seenOff'>> {
  if (result.off) return { effect: 'taken', seenOff: true };
  const { failure } = result.failure;
  if (failure === 'not-verified') return { effect: 'taken', seenOff: false };
  if (failure === 'cannot-run') return { effect: 'none', seenOff: false };
  const { says } = await look({ level, signal, timeoutMs: lookAgainMs });
  return { effect: says === 'on' ? 'none' : 'unknown', seenOff: says === 'off' };
}

/**
 * A level that was told `off` before in this incident is asked first how the host is; a newer word of an operator has it
 * told again in any case. Null: it may be told.
 */
async function unlessToldBefore(
  level: Level,
  given: Confirmation | null,
  { host, incident, signal }: FenceRequest,
  { shots, clock }: FencingParts,
): Promise<LevelResult | null> {
  const { agent, number } = level;
  const last = await shots.last(host, incident, number);
  if (last === null || last.agent !== agent || (given !== null && given.atMs > last.atMs)) return null;
  const { says, said } = await look({ level, signal, timeoutMs: timeoutWhenConfirmedMs });
  if (says === 'off') await shots.record(host, incident, { ...last, seenOff: true });
  const next = again(last, says);
  if (next === 'tell') return null;
  if (next === 'proof') return { off: true, atMs: clock.nowMs(), output: `status: ${said}` };
  const detail = `told off at ${new Date(last.atMs).toISOString().slice(0, 19)}Z; now: ${said}`;
  return { off: false, failure: { agent, failure: next, detail } };
}

/** An operator's word that a host is off. Null: there is none, or it does not count, as it was heard since. */
export async function usableConfirmation(
  host: string,
  heardAtMs: number | null,
  { confirmations, clock, log }: Pick<FencingParts, 'confirmations' | 'clock' | 'log'>,
): Promise<Confirmation | null> {
  const confirmation = await confirmations.of(host);
  if (confirmation === null) return null;
  const isFromNow = confirmation.atMs <= clock.nowMs() + clockMarginMs;
  if (isFromNow && (heardAtMs === null || heardAtMs < confirmation.atMs)) return confirmation;
  log.warn(
    `the word of ${confirmation.who} that ${host} is off does not count: a sign of life came after it`,
  );
  return null;
}

const failureText = ({ agent, failure, detail }: FenceFailure): string => `${agent} ${failure}: ${detail}`;
