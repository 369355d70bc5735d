// Stage: writes down whom the recovery is about, before anything is done to them.

import { offSinceMs } from '../../fencing/proof.ts';
import { AgentsOfTheDead } from '../agents-of-the-dead.ts';
import { MarkWatch } from '../mark.ts';
import type { Recovery, Stage } from '../recovery.ts';
import { reportOf } from '../report.ts';
import { StillSilent } from '../still-silent.ts';
import { scanAt } from './fresh-facts.ts';
import { addArrivals, newJournal } from './new-journal.ts';

export const openJournal: Stage = {
  name: 'open-journal',
  async run(recovery) {
    const { order, tools, facts, beginning } = recovery;
    const journal =
      beginning.kind === 'continued'
        ? beginning.journal
        : newJournal(order, tools, facts.picture, beginning.earlier);
    recovery.journal = journal;
    if (Object.keys(journal.instances).length === 0) {
      tools.log.warn(`${order.dead} has no instances: nothing to evacuate`);
      return { report: reportOf(journal, 'done', null, tools.clock.nowMs()) };
    }
    recovery.stillSilent = watchOf(recovery);
    recovery.mark = new MarkWatch(journal, tools.cloud, tools.clock, recovery.signal);
    if (beginning.kind === 'continued') addArrivals(journal, facts.picture);
    await recovery.lock.save(journal);
    return 'next';
  },
};

/** Asks for signs of life again, from now to the end of the move. */
function watchOf(recovery: Recovery): StillSilent {
  const { order, tools, facts, signal, opened: journal } = recovery;
  const { cloud, clock, policy } = tools;
  const address = facts.picture.hypervisor(order.dead)?.address ?? null;
  const suspect = {
    ...order,
    get offSinceMs() {
      return offSinceMs(journal.proof);
    },
  };
  return new StillSilent({
    order: suspect,
    agents: new AgentsOfTheDead(order.dead, facts.picture.agentsOf(order.dead)),
    cloud,
    heartbeatPeriodMs: policy.heartbeatPeriodMs,
    clock,
    signal,
    confirmedAtMs: facts.askedAtMs,
    scan: () => scanAt(recovery, address),
  });
}
