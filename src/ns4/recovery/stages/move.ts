// Stage: moves the instances, each until it has its end. A sign of life stops it.

import { hypervisorsOf } from '../journal/open-journal.ts';
import type { Stage } from '../recovery.ts';
import { stopped } from '../report.ts';
import { SignOfLifeError } from '../still-silent.ts';

export const move: Stage = {
  name: 'move',
  async run(recovery) {
    const { tools, facts, lock, signal, stillSilent, opened: journal } = recovery;
    try {
      await tools.mover.move({
        ...tools,
        ...hypervisorsOf(journal, facts.hosts),
        journal,
        lock,
        signal,
        confirmSilence: (limitMs) => stillSilent.confirm(limitMs),
      });
      return 'next';
    } catch (error) {
      if (!(error instanceof SignOfLifeError)) throw error;
      return stopped(recovery, journal, error.refusal);
    }
  },
};
