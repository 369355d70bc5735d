// The table contract -> handler: everything this worker can be asked for.

import type { OwnHandlers } from '../../shared/documents/jobs/contracts.ts';
import { fenceHandlers } from './fence.ts';
import { lookAtRecoveredHandler } from './look-at-recovered.ts';
import { recoverHandler } from './recover.ts';
import { refreshHandler } from './refresh.ts';
import { scanHandler } from './scan.ts';
import { surveySensesHandler } from './survey-senses.ts';
import type { WorkerParts } from './worker-parts.ts';

export function handlersOf(parts: WorkerParts): OwnHandlers {
  return {
    'refresh-inventory': refreshHandler(parts),
    scan: scanHandler(parts),
    'survey-senses': surveySensesHandler(parts),
    'look-at-recovered': lookAtRecoveredHandler(parts),
    recover: recoverHandler(parts),
    ...(parts.ownDevices === null ? {} : fenceHandlers(parts.ownDevices)),
  };
}
