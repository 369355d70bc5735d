// Stage: is this the beginning of a recovery, or was its first change made already? Nova tells, with the journal.

import { forgottenJournal } from '../journal/open-journal.ts';
import type { Stage } from '../recovery.ts';
import { alreadyRecovering, refused } from '../report.ts';

export const pickUp: Stage = {
  name: 'pick-up',
  async run(recovery) {
    const { order, tools, facts } = recovery;
    const open = recovery.journal ?? forgottenJournal(order, tools, facts);
    recovery.journal = open;
    const dead = facts.hosts.hypervisors.find((h) => h.host === order.dead);
    // The first change forces the dead host down. One that is not forced down was never begun with, or an operator put
    // it back into service since: then nothing of the open journal counts, and everything is asked as for the first time.
    if (open === null || dead?.forcedDown === false) {
      recovery.beginning = { kind: 'anew', earlier: open?.id === order.incident ? open : null };
      return 'next';
    }
    if (open.spare !== order.spare) return alreadyRecovering(recovery, open);
    if (open.method !== tools.mover.name)
      return refused(recovery, {
        name: 'api-unavailable',
        host: order.dead,
        detail: `its incident ${open.id} was begun with "evacuate = ${open.method}"; set that again to continue it`,
      });
    recovery.beginning = { kind: 'continued', journal: open };
    return 'next';
  },
};
