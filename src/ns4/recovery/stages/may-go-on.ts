// Stage: every gate, asked by the fresh facts. The second lock on the same door.

import { isDoubt, type Refusal, refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { OperationalError } from '../../../shared/ground/errors.ts';
import { offSinceMs } from '../../fencing/proof.ts';
import { permitRecovery } from '../gates.ts';
import type { Recovery, Stage, Turn } from '../recovery.ts';
import { endJournal, refused, stopped } from '../report.ts';

export const mayGoOn: Stage = {
  name: 'may-go-on',
  async run(recovery) {
    const { order, tools, facts, beginning } = recovery;
    const { journal: from } = beginning.kind === 'continued' ? beginning : { journal: beginning.earlier };
    const about = {
      order: { ...order, offSinceMs: offSinceMs(from?.proof ?? null) },
      facts: { scan: facts.scan, nowMs: tools.clock.nowMs() },
      resumed: beginning.kind === 'continued',
    };
    const refusal = permitRecovery(about, facts.picture, tools.policy, order.despite);
    return refusal === null ? 'next' : endBy(recovery, refusal);
  },
};

async function endBy(recovery: Recovery, refusal: Refusal): Promise<Turn> {
  const { beginning } = recovery;
  if (beginning.kind === 'continued') {
    // A scan without a result is no reason to leave instances half-way: the order is run again instead.
    if (isDoubt(refusal)) throw new OperationalError(refusalSentence(refusal));
    return stopped(recovery, beginning.journal, refusal);
  }
  const { earlier } = beginning;
  if (earlier === null) return refused(recovery, refusal);
  return earlier.acted
    ? stopped(recovery, earlier, refusal)
    : endJournal(recovery, earlier, 'refused', refusal);
}
