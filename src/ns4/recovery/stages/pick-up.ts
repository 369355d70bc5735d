// Stage: is this the beginning of a recovery, or was its first change made already? Nova tells, with the journal.

import { isSameTarget, placeOf } from '../../../shared/documents/terms/plan.ts';
import type { Journal } from '../journal/journal.ts';
import type { Order, Stage } from '../recovery.ts';
import { alreadyRecovering, refused } from '../report.ts';
import { forgottenJournal } from './new-journal.ts';

export const pickUp: Stage = {
  name: 'pick-up',
  async run(recovery) {
    const { order, tools, facts } = recovery;
    const shortcoming = tools.mover.shortcoming(order.plan);
    if (shortcoming !== null)
      return refused(recovery, {
        name: 'api-unavailable',
        host: order.dead,
        detail: `"evacuate = ${tools.mover.name}" ${shortcoming}`,
      });
    const open = recovery.journal ?? forgottenJournal(order, tools, facts.picture);
    recovery.journal = open;
    const dead = facts.picture.hypervisor(order.dead);
    // The first change forces the dead host down. One that is not forced down was never begun with, or an operator put
    // it back into service since: then nothing of the open journal counts, and everything is asked as for the first
    // time.
    if (open === null || dead?.forcedDown === false) {
      recovery.beginning = { kind: 'anew', earlier: open?.id === order.recovery ? open : null };
      return 'next';
    }
    if (!isSamePlan(open, order)) return alreadyRecovering(recovery, open);
    if (open.mover !== tools.mover.name)
      return refused(recovery, {
        name: 'api-unavailable',
        host: order.dead,
        detail: `its incident ${open.incident} was begun with "evacuate = ${open.mover}"; set that again to continue it`,
      });
    recovery.beginning = { kind: 'continued', journal: open };
    return 'next';
  },
};

/**
 * What was begun onto one host is not continued onto another: the order must have the same targets for each instance.
 */
function isSamePlan({ plan, instances }: Journal, order: Order): boolean {
  return Object.keys(instances).every((id) => {
    const [then, now] = [placeOf(plan, id), placeOf(order.plan, id)];
    if (then === null || now === null) return then === now;
    if (!isSameTarget(then.target, now.target)) return false;
    return then.otherwise === null || now.otherwise === null
      ? then.otherwise === now.otherwise
      : isSameTarget(then.otherwise, now.otherwise);
  });
}
