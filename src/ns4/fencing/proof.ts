// Proof that a host is off, as it is kept in the journal of its recovery.
import { z } from 'zod';
import type { Progress } from '../../shared/documents/events/progress.ts';

export const proofSchema = z.discriminatedUnion('by', [
  z.object({
    by: z.literal('agent'),
    agent: z.string(),
    /** From 1. */
    level: z.number().int(),
    /** When the agent's `status` said that it is off. */
    atMs: z.number(),
    /** What the agent said to `off` and to `status`, secrets masked. */
    output: z.string(),
    /** How the levels before it failed, as sentences. */
    failed: z.array(z.string()),
  }),
  z.object({
    by: z.literal('operator'),
    who: z.string(),
    /** When the confirmation was given. */
    atMs: z.number(),
    failed: z.array(z.string()),
  }),
]);
export type Proof = z.infer<typeof proofSchema>;
export type ProofByAgent = Extract<Proof, { by: 'agent' }>;

/** What a device shows of a host; unknown: it did not say in time, or not clearly. `said`: its own words, masked. */
export interface PowerSeen {
  readonly says: 'on' | 'off' | 'unknown';
  readonly said: string;
}

/**
 * What an agent saw counts this long for a worker that continues: whoever repairs the host may have switched it on
 * since. Fencing it once more is harmless.
 */
const agentProofMs = 600_000;
/** Heartbeats sent before the power went may be counted by Neutron a little later, and clocks differ a little. */
const lateHeartbeatMs = 5_000;

/**
 * Does this proof still stand, so that nothing has to be fenced again? `seenOffAtMs`: when its device said off last.
 */
export function stands(proof: Proof | null, nowMs: number, seenOffAtMs = proof?.atMs ?? 0): boolean {
  return proof !== null && (proof.by === 'operator' || nowMs - seenOffAtMs <= agentProofMs);
}

/** The device that gave it, for people. */
export const deviceText = ({ agent, level }: ProofByAgent): string => `${agent}, level ${level}`;

/** Signs of life up to this time say nothing, as the host was off afterwards; null without proof. */
export function offSinceMs(proof: Proof | null): number | null {
  if (proof === null) return null;
  return proof.by === 'agent' ? proof.atMs + lateHeartbeatMs : proof.atMs;
}

/** The proof as progress of the recovery. */
export function proofProgress(proof: Proof): Progress {
  const { failed } = proof;
  return proof.by === 'agent'
    ? { step: 'powered-off', agent: proof.agent, level: proof.level, failed }
    : { step: 'confirmed-off', who: proof.who, atMs: proof.atMs, failed };
}
