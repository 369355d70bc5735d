// Judges that whoever is called recovered is: with a network where he went, and answering when that is said of him.
import type { Instance } from '../../../simulator/world/model.ts';
import { guestAnswers } from '../../../simulator/world/physics.ts';
import type { RecoveryReport } from '../../../src/shared/documents/jobs/recover.ts';
import type { World } from '../world/world.ts';
import { must } from './violation.ts';

/** Said at the end of a recovery. What somebody did with an instance since is left out, and who lost his new host. */
export function isRecovered(world: World, { instances }: RecoveryReport): void {
  for (const { id, name, outcome, to, answers } of instances) {
    const instance = world.find(id);
    if (outcome !== 'recovered' || to === null || instance === undefined) continue;
    if (instance.host !== to || instance.vmState !== 'active' || instance.taskState !== null) continue;
    const { powered, frozen, cut } = world.host(to);
    if (!powered || frozen || !instance.runningOn.has(to)) continue;
    must(isWired(instance, to), 'whoever is called recovered has his network', `${name} on ${to}`);
    if (answers === true && !cut.guests)
      must(guestAnswers(world, instance), 'whoever is said to answer answers', `${name} on ${to}`);
  }
}

const isWired = ({ port }: Instance, host: string): boolean =>
  port.host === host && port.vifType === 'ovs' && port.status === 'ACTIVE';
