// Job `scan`: this vantage point's own scan, of whoever the cloud knows.

import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import { addressesIn, tooMuch, withoutStrangers, withStrangers } from '../scan/strangers.ts';
import type { WorkerParts } from './worker-parts.ts';

/** In one line of the log. */
const mostNamed = 5;

export function scanHandler({
  look,
  strangersAmong,
  log,
}: Pick<WorkerParts, 'look' | 'strangersAmong' | 'log'>): Handlers['scan'] {
  return async (request, signal) => {
    const detail = tooMuch(request);
    if (detail !== null) return { ok: false, detail };
    const strangers = await strangersAmong(addressesIn(request));
    if (strangers.size === 0) return look(request, signal);
    log.warn(`not asked: ${shortened([...strangers], mostNamed)}: no address of this cloud`);
    return withStrangers(await look(withoutStrangers(request, strangers), signal), request, strangers);
  };
}
