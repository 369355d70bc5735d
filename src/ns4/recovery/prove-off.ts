// Proof before recovery: between the permission and the first change the dead host is fenced, unless the incident carries
// its proof already. Without proof nothing is changed.

import { type Hosts, newestHeartbeats } from '../../shared/documents/inventory.ts';
import type { Refusal } from '../../shared/documents/refusals/refusals.ts';
import { errorText } from '../../shared/ground/errors.ts';
import { CloudError } from '../cloud.ts';
import type { Fencing } from '../fencing/fencing.ts';
import { stands } from '../fencing/proof.ts';
import type { Work } from './movers/mover.ts';
import { DoubtError, renewMs, SignOfLifeError } from './still-silent.ts';

/**
 * Sees to it that the incident carries a proof that its host is off. Null when it does; otherwise why there is none:
 * `fence-failed`, or the sign of life that came between two levels.
 * @throws as Ownership.save, when this worker may not (any more) power anything off
 */
export async function proveOff(fencing: Fencing, work: Work, hosts: Hosts): Promise<Refusal | null> {
  const { incident, ownership, clock, signal } = work;
  const host = incident.dead;
  if (stands(incident.proof, clock.nowMs())) return null;
  try {
    const outcome = await fencing.fence({
      host,
      signal,
      // Nova's report time is no heartbeat: whoever disables a service moves it as well.
      heardAtMs: newestHeartbeats(hosts).get(host) ?? null,
      beforeOff: async () => {
        // The first level follows the fresh facts; by the next one the host may live again, and is not to be shot.
        await work.confirmSilence(renewMs);
        // The last thing before: what follows at once is covered by a fresh confirmation of the claim.
        await ownership.save(incident);
        signal.throwIfAborted();
      },
    });
    if (!outcome.proven) return { name: 'fence-failed', host, levels: [...outcome.failures] };
    // A word does not switch off anything: the host may have come back while its levels were tried.
    if (outcome.proof.by === 'operator') await work.confirmSilence(renewMs);
    incident.proof = outcome.proof;
  } catch (error) {
    // It lives, or nobody can tell now: the monitor asks again at its next round.
    if (error instanceof SignOfLifeError || error instanceof DoubtError) return error.refusal;
    if (error instanceof CloudError) return { name: 'api-unavailable', host, detail: errorText(error) };
    throw error;
  }
  await ownership.save(incident);
  await fencing.kept(host, incident.proof);
  return null;
}

/** The monitor counts on proof, which this ns4 is not set up to have: they do not read the same configuration. */
export function nobodyFences(host: string): Refusal {
  const detail = "its [FENCING] mode is none, the monitor's is required";
  return { name: 'fence-failed', host, levels: [{ agent: 'ns4', failure: 'cannot-run', detail }] };
}
