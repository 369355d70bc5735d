// Job `scan`: this vantage point's own scan.

import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import type { WorkerParts } from './worker-parts.ts';

export function scanHandler({ look }: Pick<WorkerParts, 'look'>): Handlers['scan'] {
  return (data, signal) => look(data, signal);
}
