// The port through which an evacuation gets its proof, and its making from the plan and the operators' words.

import type { FenceFailure } from '../../shared/documents/refusals/of-recoveries.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import { powerOff } from './level.ts';
import { type FencingPlan, levelsOf } from './plan.ts';
import type { Proof } from './proof.ts';
import type { Word, Words } from './words.ts';

export interface FenceRequest {
  readonly host: string;
  readonly signal: AbortSignal;
  /** The newest sign of life of the host that is known of; null: none. An operator's word older than it is void. */
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
  /** Tries the host's levels in order; a failure is a value. Rejects only by `beforeOff` or `signal`, or without Redis. */
  fence(request: FenceRequest): Promise<FenceOutcome>;
  /** The proof is kept in a journal: a word that it rests on is used up. */
  kept(host: string, proof: Proof): Promise<void>;
}

/** With a word at hand the devices are still asked, as they make a wrong word harmless, but nobody waits for them long. */
const timeoutWithWordMs = 15_000;
/** A word of the future is one of another clock: nobody could say which heartbeats came after it. */
const clockMarginMs = 5_000;

export interface FencingParts {
  readonly plan: FencingPlan;
  readonly words: Words;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export function createFencing({ plan, words, timeoutMs, clock, log }: FencingParts): Fencing {
  return {
    async fence({ host, signal, heardAtMs, beforeOff }) {
      const word = await words.of(host);
      const usable = word !== null && counts(word, heardAtMs, clock.nowMs());
      if (word !== null && !usable)
        log.warn(`the word of ${word.who} that ${host} is off does not count: a sign of life came after it`);
      const failures: FenceFailure[] = [];
      for (const level of levelsOf(plan, host)) {
        const result = await powerOff({
          ...{ level, signal, clock },
          timeoutMs: usable ? Math.min(timeoutMs, timeoutWithWordMs) : timeoutMs,
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
      if (word === null || !usable) return { proven: false, failures };
      return { proven: true, proof: { by: 'operator', ...word, failed: failures.map(failureText) } };
    },
    async kept(host, proof) {
      if (proof.by === 'operator') await words.useUp(host);
    },
  };
}

function counts(word: Word, heardAtMs: number | null, nowMs: number): boolean {
  return word.atMs <= nowMs + clockMarginMs && (heardAtMs === null || heardAtMs < word.atMs);
}

const failureText = ({ agent, failure, detail }: FenceFailure): string => `${agent} ${failure}: ${detail}`;
