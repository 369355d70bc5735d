// Stage: every gate, asked by the fresh facts. The second lock on the same door. Half-way a doubt about a target, or a
// heartbeat against a device's word, is no reason to leave instances where they are.

import { isDoubt, type Refusal, refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { offSinceMs, type Proof } from '../../fencing/proof.ts';
import { permitRecovery } from '../gates.ts';
import type { Journal } from '../journal/journal.ts';
import type { Recovery, Stage, Turn } from '../recovery.ts';
import { endJournal, refused, stopped } from '../report.ts';
import { mayBeLate, takeForLate } from './late-report.ts';

/** A target in trouble is waited for as long as an API that is away. */
const targetAwayLimitMs = 600_000;
const targetPauseMs = 5_000;

export const mayGoOn: Stage = {
  name: 'may-go-on',
  async run(recovery) {
    const { beginning } = recovery;
    const from = beginning.kind === 'continued' ? beginning.journal : beginning.earlier;
    const refusal = judged(recovery, from?.proof ?? null);
    if (refusal?.name !== 'spare-unfit') recovery.targetAwaitedSinceMs = null;
    if (refusal === null) return 'next';
    if (beginning.kind === 'continued') return halfWay(recovery, beginning.journal, refusal);
    const { earlier } = beginning;
    if (earlier === null) return refused(recovery, refusal);
    return earlier.acted
      ? stopped(recovery, earlier, refusal)
      : endJournal(recovery, earlier, 'refused', refusal);
  },
};

/** What the gates say; `proof`: what is older than it says nothing. */
function judged({ order, tools, facts, beginning }: Recovery, proof: Proof | null): Refusal | null {
  const about = {
    order: { ...order, offSinceMs: offSinceMs(proof) },
    facts: { scan: facts.scan, guests: facts.guests, nowMs: tools.clock.nowMs() },
    resumed: beginning.kind === 'continued',
  };
  return permitRecovery(about, facts.picture, tools.policy, order.despite);
}

async function halfWay(recovery: Recovery, journal: Journal, refusal: Refusal): Promise<Turn> {
  // A scan without a result is no reason to leave instances half-way: the order is run again instead.
  if (isDoubt(refusal)) throw new OperationalError(refusalSentence(refusal));
  if (refusal.name === 'spare-unfit') return awaitTarget(recovery, journal, refusal);
  if (refusal.name === 'came-back' && (await isLateReport(recovery, journal, refusal.evidence)))
    return 'later';
  return stopped(recovery, journal, refusal);
}

/** Its agent may be late while it wires guests, its nova-compute be restarted: it may do well again in a moment. */
async function awaitTarget(
  recovery: Recovery,
  journal: Journal,
  refusal: Refusal & { name: 'spare-unfit' },
): Promise<Turn> {
  const { clock } = recovery.tools;
  recovery.targetAwaitedSinceMs ??= clock.steadyMs();
  if (clock.steadyMs() - recovery.targetAwaitedSinceMs > targetAwayLimitMs)
    return stopped(recovery, journal, refusal);
  const { spare: target, why } = refusal;
  await recovery.tell({ step: 'target-awaited', target, why, forMs: targetAwayLimitMs });
  await clock.sleep(targetPauseMs, recovery.signal);
  return 'later';
}

/**
 * A report that was sent before the power went may be counted minutes later, when a message queue's backlog is worked
 * off. The device that proved the host off is asked: if it says so again, the proof counts from now on. Only what it
 * heard of the control plane can be late: a host that answers the scan lives.
 */
async function isLateReport(recovery: Recovery, journal: Journal, evidence: string): Promise<boolean> {
  const { tools, signal, lock } = recovery;
  const { proof, dead } = journal;
  if (tools.fencing === null || proof?.by !== 'agent') return false;
  const nowMs = tools.clock.nowMs();
  if (!mayBeLate(journal, nowMs)) return false;
  if (judged(recovery, { ...proof, atMs: nowMs })?.name === 'came-back') return false;
  if ((await tools.fencing.lookAgain(dead, proof, signal)).says !== 'off') return false;
  await takeForLate(recovery, proof, evidence, tools.clock.nowMs());
  await lock.save(journal);
  return true;
}
