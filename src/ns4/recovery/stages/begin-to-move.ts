// The mover at its beginning, wired: what it may ask of the recovery before and between its requests.

import type { Hypervisor } from '../../../shared/documents/inventory.ts';
import { quoted } from '../../../shared/ground/plain.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { AskedToMove, MayMove } from '../../disks/disks.ts';
import type { Recovery } from '../recovery.ts';
import { SignOfLifeError } from '../still-silent.ts';
import { heardAgain, leaveUnmoved } from './heard-again.ts';

/** See Mover.begin. */
export function beginToMove(recovery: Recovery): () => Promise<void> {
  const { tools, facts, lock, signal, stillSilent, mark, opened: journal } = recovery;
  return tools.mover.begin({
    ...tools,
    journal,
    lock,
    signal,
    hypervisor: (host) => hypervisorOf(host, facts.picture),
    evacuate: (id, target, limit) => mark.evacuate(id, target, limit),
    mayMove: (id, wasAskedFor) => mayMove(recovery, id, wasAskedFor),
    whereOpen: (id) => whereOpen(recovery, id),
    heard: (ids) => heardAgain(recovery, ids),
    leaveAlone: (answering) => leaveUnmoved(recovery, answering),
    confirmMark: () => mark.confirm(),
    isPowerFresh: () => stillSilent.isPowerFresh(),
    keepWatch: () => stillSilent.confirm(Number.POSITIVE_INFINITY),
    confirmSilence: async (limitMs) => {
      await stillSilent.confirm(limitMs);
      await stillSilent.confirmPower();
      stillSilent.checkProof();
      // The last one: the other Sonny may have come while the silence was waited for.
      await mark.confirm();
    },
  });
}

/**
 * See Moving. Nobody but its old host has any reason to have it open before it is asked for; and nobody else ever has from
 * an address that is known to be the old host's.
 */
async function mayMove(recovery: Recovery, id: string, wasAskedFor: boolean): Promise<MayMove | null> {
  const { tools, signal } = recovery;
  const { dead } = recovery.opened;
  if (tools.storage === null) return null;
  const { name, asked } = askedOf(recovery, id);
  const word = await tools.storage.mayMove(asked, dead, signal);
  if (word.kind === 'open' && (word.isOwn || !wasAskedFor))
    throw new SignOfLifeError({
      name: 'disks-open',
      host: dead,
      on: `the disks of ${quoted(name)} are open, by ${word.on}`,
    });
  return word.kind === 'absent' && tools.localDisks === 'recover' ? { kind: 'closed' } : word;
}

async function whereOpen(recovery: Recovery, id: string): Promise<string | null> {
  const { tools, signal } = recovery;
  return tools.storage === null ? null : tools.storage.whereOpen(askedOf(recovery, id).asked, signal);
}

/** An instance of the dead host, as it is asked by its disks. */
function askedOf({ facts, opened: { dead } }: Recovery, id: string): { name: string; asked: AskedToMove } {
  const server = facts.picture.serversOf(dead).find((one) => one.id === id);
  // One that is not in the picture is asked by its own disk, and nothing follows from what is missing.
  const { volumes, bootsFromImage } = server ?? { volumes: [], bootsFromImage: false };
  return { name: server?.name ?? id, asked: { id, volumes, bootsFromImage } };
}

function hypervisorOf(host: string, picture: Picture): Hypervisor {
  const found = picture.hypervisor(host);
  if (found === undefined) throw new Error(`${host} passed the gates but is no hypervisor`);
  return found;
}
