// Stage: writes down whom the recovery is about, before anything is done to them.

import { MarkWatch } from '../mark.ts';
import type { Stage } from '../recovery.ts';
import { reportOf } from '../report.ts';
import { addArrivals, newJournal } from './new-journal.ts';
import { watchSilence } from './watch-silence.ts';

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
    recovery.stillSilent = watchSilence(recovery);
    recovery.mark = new MarkWatch(journal, tools.cloud, tools.clock, recovery.signal);
    if (beginning.kind === 'continued') addArrivals(journal, facts.picture);
    await recovery.lock.save(journal);
    return 'next';
  },
};
