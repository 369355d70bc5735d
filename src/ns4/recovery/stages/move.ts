// Stage: moves the instances, each until it has its end. A sign of life stops it, and so does another
// one's mark on the host.

import type { Hypervisor } from '../../../shared/documents/inventory.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import { TakenHostError } from '../mark.ts';
import type { Stage } from '../recovery.ts';
import { stopped } from '../report.ts';
import { SignOfLifeError } from '../still-silent.ts';

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
        confirmSilence: async (limitMs) => {
          await stillSilent.confirm(limitMs);
          // The last one: the other Sonny may have come while the silence was waited for.
          await mark.confirm();
        },
      });
      return 'next';
    } catch (error) {
      if (!(error instanceof SignOfLifeError || error instanceof TakenHostError)) throw error;
      return stopped(recovery, journal, error.refusal);
    }
  },
};

function hypervisorOf(host: string, picture: Picture): Hypervisor {
  const found = picture.hypervisor(host);
  if (found === undefined) throw new Error(`${host} passed the gates but is no hypervisor`);
  return found;
}
