// Stage: moves the instances, each until it has its end. A sign of life stops it, and so does another one's mark on the
// host; a sign of life that comes while the last of them move is asked for in the end.

import type { Hypervisor } from '../../../shared/documents/inventory.ts';
import { refusalSentence } from '../../../shared/documents/refusals/refusals.ts';
import { errorText } from '../../../shared/ground/errors.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { CloudError } from '../../cloud/cloud.ts';
import type { MayMove } from '../../disks/disks.ts';
import type { JournalEntry } from '../journal/journal.ts';
import { TakenHostError } from '../mark.ts';
import type { Recovery, Stage } from '../recovery.ts';
import { stopped } from '../report.ts';
import { DoubtError, SignOfLifeError } from '../still-silent.ts';
import { heardAgain, leaveUnmoved } from './heard-again.ts';

export const move: Stage = {
  name: 'move',
  async run(recovery) {
    const { tools, facts, lock, signal, stillSilent, mark, opened: journal } = recovery;
    try {
      await tools.mover.move({
        ...tools,
        journal,
        lock,
        signal,
        hypervisor: (host) => hypervisorOf(host, facts.picture),
        evacuate: (id, target, limit) => mark.evacuate(id, target, limit),
        mayMove: (id, wasAskedFor) => mayMove(recovery, id, wasAskedFor),
        heard: (ids) => heardAgain(recovery, ids),
        leaveAlone: (answering) => leaveUnmoved(recovery, answering),
        confirmMark: () => mark.confirm(),
        isPowerFresh: () => stillSilent.isPowerFresh(),
        confirmSilence: async (limitMs) => {
          await stillSilent.confirm(limitMs);
          await stillSilent.confirmPower();
          stillSilent.checkProof();
          // The last one: the other Sonny may have come while the silence was waited for.
          await mark.confirm();
        },
      });
    } catch (error) {
      if (!(error instanceof SignOfLifeError || error instanceof TakenHostError)) throw error;
      return stopped(recovery, journal, error.refusal);
    }
    if (journal.acted) await lookOnceMore(recovery);
    return 'next';
  },
};

/** See Moving. Nobody but its old host has any reason to have it open before it is asked for. */
async function mayMove(
  { tools, facts, signal, opened: { dead } }: Recovery,
  id: string,
  wasAskedFor: boolean,
): Promise<MayMove | null> {
  if (tools.storage === null) return null;
  const server = facts.picture.serversOf(dead).find((one) => one.id === id);
  const word = await tools.storage.mayMove({ id, volumes: server?.volumes ?? [] }, dead, signal);
  if (word.kind === 'open' && !wasAskedFor)
    throw new SignOfLifeError({
      name: 'disks-open',
      host: dead,
      on: `the disks of ${server?.name ?? id} are open, by ${word.on}`,
    });
  return word;
}

function hypervisorOf(host: string, picture: Picture): Hypervisor {
  const found = picture.hypervisor(host);
  if (found === undefined) throw new Error(`${host} passed the gates but is no hypervisor`);
  return found;
}

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
