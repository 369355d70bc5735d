// A monitor's status as tests vary it.
import type { Status } from '../../src/shared/documents/status.ts';
import { nowMs } from './inventories.ts';

/** Leading as host/1, with nothing to tell. */
export const monitorStatus = (change: Partial<Status> = {}): Status => ({
  version: 1,
  cloud: 'cloud1',
  atMs: nowMs,
  leader: { who: 'host/1', epoch: 3 },
  policy: {
    fencing: 'none',
    deadBackoff: 1,
    suspiciousBackoff: 5,
    cooldownMs: 3_600_000,
    heartbeatPeriodMs: 60_000,
    monitorPeriodMs: 60_000,
  },
  safeMode: null,
  cooldown: null,
  raised: [],
  watches: [],
  incidents: [],
  runningTwice: [],
  reports: [],
  ...change,
});

type IncidentStatus = Status['incidents'][number];

/** A suspect since three minutes ago. */
export const incidentOf = (host: string, change: Partial<IncidentStatus> = {}): IncidentStatus => ({
  id: `20261121T115700-${host}`,
  subject: { kind: 'host', name: host },
  stage: 'suspect',
  openedAtMs: nowMs - 180_000,
  raised: null,
  recoveries: 0,
  recovery: null,
  ...change,
});
