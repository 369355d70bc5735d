// Stage: closes the journal and reports what became of each instance.

import type { Stage } from '../recovery.ts';
import { endJournal } from '../report.ts';

export const report: Stage = {
  name: 'report',
  run: (recovery) => endJournal(recovery, recovery.opened, 'done', null),
};
