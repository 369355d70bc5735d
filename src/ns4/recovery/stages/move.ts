// Stage: moves the instances, each until it has its end. A sign of life stops it.

import type { Hypervisor } from '../../../shared/documents/inventory.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
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
        journal,
        lock,
        signal,
        hypervisor: (host) => hypervisorOf(host, facts.picture),
        confirmSilence: (limitMs) => stillSilent.confirm(limitMs),
      });
      return 'next';
    } catch (error) {
      if (!(error instanceof SignOfLifeError)) throw error;
      return stopped(recovery, journal, error.refusal);
    }
  },
};

function hypervisorOf(host: string, picture: Picture): Hypervisor {
  const found = picture.hypervisor(host);
  if (found === undefined) throw new Error(`${host} passed the gates but is no hypervisor`);
  return found;
}
