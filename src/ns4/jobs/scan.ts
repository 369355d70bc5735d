// Job `scan`: this vantage point's own scan.

import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import { scan } from '../scan/scan.ts';
import type { WorkerParts } from './worker-parts.ts';

export function scanHandler({ settings, clock }: WorkerParts): Handlers['scan'] {
  return (data, signal) => scan(data, settings.scan, {}, clock, signal);
}
