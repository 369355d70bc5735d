// How long a recovery waits for a service that is away (Keystone, Nova, Neutron, Placement, MySQL), and which answers
// are about the moment only. For both movers, so that neither gives up on an outage that the other would outlast.
import { errorText } from '../../../shared/ground/errors.ts';
import { CloudError } from '../../cloud/cloud.ts';
import type { Moving } from './mover.ts';

/** Pause when a service did not answer, or takes no requests for now. */
export const awayPauseMs = 2_000;
/** Away for so long ends the waiting; what is unfinished is said so. */
export const awayLimitMs = 600_000;
/** Answers that are about us or the moment, not about what was asked for: the same may be taken later. */
const notNow: ReadonlySet<number | null> = new Set([401, 408, 413, 429]);

/** A no to the request itself; after anything else the same may be asked again, once it is known what became of it. */
export const isFinal = (error: CloudError): boolean =>
  error.outcome === 'refused' && !notNow.has(error.status);

/**
 * Does what may be done twice without harm until it is done, for `limitMs` at most.
 * @throws the last CloudError when it is final or the time is over; anything else at once
 */
export async function patiently<T>(
  { clock, log, signal }: Pick<Moving, 'clock' | 'log' | 'signal'>,
  action: () => Promise<T>,
  limitMs = awayLimitMs,
): Promise<T> {
  const sinceMs = clock.steadyMs();
  for (;;) {
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CloudError) || isFinal(error) || clock.steadyMs() - sinceMs > limitMs)
        throw error;
      log.warn({ error: errorText(error) }, 'will be tried again');
    }
    await clock.sleep(awayPauseMs, signal);
  }
}
