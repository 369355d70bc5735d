// A report of a host that a device proved off: when it may be one of before its power went, and what follows when the
// device says off again.

import type { ProofByAgent } from '../../fencing/proof.ts';
import type { Journal } from '../journal/journal.ts';
import type { Recovery } from '../recovery.ts';

/**
 * A message queue's backlog is worked off in seconds, and a living agent reports every half minute: what is still heard
 * when so much time has passed since the first late one is no backlog, whatever the device says. It may be another
 * machine's.
 */
const lateWithinMs = 20_000;

/** Can a report that is heard now be a late one? */
export function mayBeLate({ progress }: Pick<Journal, 'progress'>, nowMs: number): boolean {
  const first = progress.find(({ progress: p }) => typeof p !== 'string' && p.step === 'late-heartbeat');
  return first === undefined || Math.abs(nowMs - first.atMs) <= lateWithinMs;
}

/** The device said off again: the proof counts from `atMs` on, and that is told. */
export async function takeForLate(
  recovery: Recovery,
  proof: ProofByAgent,
  evidence: string,
  atMs: number,
): Promise<void> {
  const { agent, level } = proof;
  recovery.opened.proof = { ...proof, atMs };
  await recovery.tell({ step: 'late-heartbeat', evidence, agent, level });
}
