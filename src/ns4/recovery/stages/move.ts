// Stage: moves the instances, each until it has its end. A sign of life stops it, and so does another one's mark on the
// host; a sign of life that comes while the last of them move is asked for in the end.

import { refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { errorText } from '../../../shared/ground/errors.ts';
import { CloudError } from '../../cloud/cloud.ts';
import type { JournalEntry } from '../journal/journal.ts';
import { TakenHostError } from '../mark.ts';
import type { Recovery, Stage } from '../recovery.ts';
import { stopped } from '../report.ts';
import { DoubtError, SignOfLifeError } from '../still-silent.ts';
import { beginToMove } from './begin-to-move.ts';

export const move: Stage = {
  name: 'move',
  async run(recovery) {
    const { opened: journal } = recovery;
    try {
      const moveAll = recovery.move ?? beginToMove(recovery);
      recovery.move = null;
      await moveAll();
    } catch (error) {
      if (!(error instanceof SignOfLifeError || error instanceof TakenHostError)) throw error;
      return stopped(recovery, journal, error.refusal);
    }
    if (journal.acted) await lookOnceMore(recovery);
    return 'next';
  },
};

/** All have their end. Whether the host lives by now cannot always be told, and the monitor goes on asking. */
async function lookOnceMore(recovery: Recovery): Promise<void> {
  const { tools, stillSilent, opened: journal } = recovery;
  const silentAtMs = stillSilent.silentAtMs ?? journal.openedAtMs;
  try {
    await stillSilent.confirmAnew();
  } catch (error) {
    recovery.signal.throwIfAborted();
    if (error instanceof SignOfLifeError) {
      const since = Object.values(journal.instances).filter((entry) => isMovedSince(entry, silentAtMs));
      const { refusal } = error;
      const evidence = refusal.name === 'came-back' ? refusal.evidence : refusalSentence(refusal);
      journal.lifeAtEnd = { evidence, since: since.map(({ name }) => name) };
    } else if (error instanceof DoubtError || error instanceof CloudError)
      tools.log.warn({ error: errorText(error) }, `nobody can tell whether ${journal.dead} is still silent`);
    else throw error;
  }
}

/** Asked for and not back before then. */
const isMovedSince = ({ askedAtMs, report }: JournalEntry, sinceMs: number): boolean =>
  askedAtMs !== null && askedAtMs + (report?.tookMs ?? Number.POSITIVE_INFINITY) >= sinceMs;
