// The port through which a recovery gets its proof, and its making from the plan and the operators' confirmations.

import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import { powerOff } from './level.ts';
import type { Confirmation, OperatorConfirmations } from './operator-confirmations.ts';
import { type FencingPlan, levelsOf } from './plan.ts';
import type { Proof } from './proof.ts';

export interface FenceRequest {
  readonly host: string;
  readonly signal: AbortSignal;
  /**
   * The newest sign of life of the host that is known of; null: none. An operator's confirmation older than it is void.
   */
  readonly heardAtMs: number | null;
  /**
   * Right before each `off` leaves: resolves only with a fresh right to power the host off, rejects when it must not be
   * (any more). Whatever it rejects with, `fence` rejects with.
   */
  readonly beforeOff: () => Promise<void>;
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
}

/**
 * With a confirmation the devices are still asked, as they make a wrong one harmless, but nobody waits for them long.
 */
const timeoutWhenConfirmedMs = 15_000;
/** A confirmation of the future is one of another clock: nobody could say which heartbeats came after it. */
const clockMarginMs = 5_000;

interface FencingParts {
  readonly plan: FencingPlan;
  readonly confirmations: OperatorConfirmations;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export function createFencing(parts: FencingParts): Fencing {
  const { plan, confirmations, timeoutMs, clock, log } = parts;
  return {
    async fence({ host, signal, heardAtMs, beforeOff }) {
      const given = await usableConfirmation(host, heardAtMs, parts);
      const failures: FenceFailure[] = [];
      for (const level of levelsOf(plan, host)) {
        const result = await powerOff({
          level,
          signal,
          clock,
          timeoutMs: given === null ? timeoutMs : Math.min(timeoutMs, timeoutWhenConfirmedMs),
          beforeTelling: beforeOff,
        });
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
  };
}

/** Null: there is none, or it does not count. */
async function usableConfirmation(
  host: string,
  heardAtMs: number | null,
  { confirmations, clock, log }: FencingParts,
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
