// The table contract -> handler: everything this worker can be asked for.

import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import { lookAtRecoveredHandler } from './look-at-recovered.ts';
import { recoverHandler } from './recover.ts';
import { refreshHandler } from './refresh.ts';
import { scanHandler } from './scan.ts';
import { surveySensesHandler } from './survey-senses.ts';
import type { WorkerParts } from './worker-parts.ts';

export function handlersOf(parts: WorkerParts): Handlers {
  return {
    'refresh-inventory': refreshHandler(parts),
    scan: scanHandler(parts),
    'survey-senses': surveySensesHandler(parts),
    'look-at-recovered': lookAtRecoveredHandler(parts),
    recover: recoverHandler(parts),
  };
}
