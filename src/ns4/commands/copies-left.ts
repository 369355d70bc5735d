// May copies of what was evacuated from a host be left on it? By what Nova has of its evacuations, which its nova-compute
// completes when it has destroyed them.
import { shortened } from '../../shared/documents/terms/shortened.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { counted } from '../../shared/ground/counted.ts';
import { quoted } from '../../shared/ground/plain.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { clearingOf } from '../jobs/cloud-about-recovered.ts';
import { Questions } from '../jobs/questions.ts';

const mostNamed = 5;

interface CopiesParts {
  readonly cloud: Pick<Cloud, 'listEvacuations' | 'listServers' | 'readServer'>;
  /** The database method leaves no record by which nova-compute would destroy anything. */
  readonly method: 'api' | 'database';
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Why, in words that begin a sentence; null: none can be. Rejects with the signal's reason only. */
export async function copiesLeft(
  host: string,
  { cloud, method, clock, signal }: CopiesParts,
): Promise<string | null> {
  const questions = new Questions({ clock, signal });
  const clearing = await clearingOf(host, cloud, questions);
  signal.throwIfAborted();
  if (clearing === null)
    return `whether the copies of what was moved from ${host} are gone could not be asked: ${questions.unanswered}`;
  const names = clearing.unfinished.map(({ name }) => quoted(name));
  if (names.length > 0)
    return `${counted(names.length, 'evacuation')} from ${host} not completed (${shortened(names, mostNamed)}), so its nova-compute may not have destroyed the copies yet`;
  return method === 'database'
    ? `Nova has no record of what the database method moved from ${host}, so nobody destroys the copies`
    : null;
}
