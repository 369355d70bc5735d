// Proof that a host is off, or cut off from Ceph, as it is kept in the journal of its recovery.
import { z } from 'zod';
import type { Progress } from '../../shared/documents/events/progress.ts';
import { showPower } from './plan.ts';

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
  /** Its crash kernel reported (fence_kdump): its own kernel is dead, and nobody can be asked again. */
  z.object({
    by: z.literal('crash-kernel'),
    agent: z.string(),
    level: z.number().int(),
    /** When the message had come. */
    atMs: z.number(),
    output: z.string(),
    failed: z.array(z.string()),
  }),
  /** The host was cut off from Ceph: it may run on, and writes to none of its disks. */
  z.object({
    by: z.literal('ceph'),
    agent: z.string(),
    level: z.number().int(),
    /** When every placement group knew of it. */
    atMs: z.number(),
    /** Those that are blocked. */
    addresses: z.array(z.string()),
    output: z.string(),
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
/** A proof whose giver can be asked again. */
export type LastingProof = Extract<Proof, { by: 'agent' | 'ceph' }>;

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
/**
 * A dump of little memory takes some seconds, and then the machine boots; its firmware alone takes about this long. Who
 * still dumps says so again, every ten seconds.
 */
const crashProofMs = 120_000;
/** An operator's word: whoever repairs the host may have switched it on since. */
export const wordMs = 3_600_000;
/** Clocks of machines differ a little. */
const clockMarginMs = 5_000;

/** Of something that is said to have been seen then: nobody saw it yet. */
export const isOfTheFuture = (atMs: number, nowMs: number): boolean => atMs > nowMs + clockMarginMs;

/** Heartbeats sent before the power went may be counted by Neutron a little later, and clocks differ a little. */
const lateHeartbeatMs = 5_000;

/**
 * Does this proof still stand, so that nothing has to be fenced again? `seenOffAtMs`: when its device said off last.
 */
export function stands(proof: Proof | null, nowMs: number, seenOffAtMs = proof?.atMs ?? 0): boolean {
  if (proof === null || isOfTheFuture(proof.atMs, nowMs)) return false;
  return nowMs - seenOffAtMs <= standsMs[proof.by];
}
const standsMs = {
  ...{ agent: agentProofMs, ceph: agentProofMs },
  ...{ 'crash-kernel': crashProofMs, operator: wordMs },
} as const;

/** Why a proof that does not stand any more is no ground to go on. */
export const outdatedBecause = ({ by }: Pick<Proof, 'by'>): string =>
  ({
    agent: 'its proof is too old to go on without asking it, and it does not answer',
    ceph: 'it is too old to go on without asking Ceph, which does not answer',
    'crash-kernel': 'the last message of its crash kernel is too old to go on: it may have booted since',
    operator: 'it was given more than an hour ago, and is to be given again (--confirm-fenced)',
  })[by];

/** The device that gave it, for people. */
const deviceText = ({ agent, level }: Pick<ProofByAgent, 'agent' | 'level'>): string =>
  `${agent}, level ${level}`;

/** When the host was seen without power, and by what; null: by this proof it may have run on. */
export function seenOffBy(proof: Proof | null): { readonly atMs: number; readonly by: string } | null {
  if (proof?.by !== 'agent' || !showPower(proof.agent.split(' + '))) return null;
  return { atMs: proof.atMs, by: deviceText(proof) };
}

/** Whoever vouches for it, for people. */
export const voucherText = (proof: Proof): string =>
  proof.by === 'operator' ? `the word of ${proof.who}` : deviceText(proof);

/** What its giver shows when it holds no more. */
export const brokenText = (proof: LastingProof, { said }: Pick<PowerSeen, 'said'>): string =>
  proof.by === 'ceph'
    ? `it is not cut off from Ceph any more: ${said}`
    : `${deviceText(proof)}, which proved it off, says that it is on`;

/**
 * Signs of life up to this time say nothing, as the host was off afterwards. Null without proof, and for a host that was
 * cut off from Ceph only: it may run on.
 */
export function offSinceMs(proof: Proof | null): number | null {
  if (proof === null || proof.by === 'ceph') return null;
  return proof.by === 'operator' ? proof.atMs : proof.atMs + lateHeartbeatMs;
}

/** The proof as progress of the recovery. */
export function proofProgress(proof: Proof): Progress {
  const { failed } = proof;
  if (proof.by === 'operator') return { step: 'confirmed-off', who: proof.who, atMs: proof.atMs, failed };
  const { agent, level } = proof;
  if (proof.by === 'ceph')
    return { step: 'cut-off', addresses: [...proof.addresses], by: { agent, level, failed } };
  return { step: proof.by === 'agent' ? 'powered-off' : 'crash-kernel-reported', agent, level, failed };
}
