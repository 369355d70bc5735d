// A state as version 1 stored it, read as one of today.
import { describe, expect, test } from 'vitest';
import { storedStateSchema } from '../../../src/monitor/core/state/lift.ts';
import { assignmentsOf, firstState } from '../../../src/monitor/core/state/state.ts';
import { awaitedJobs } from '../../../src/monitor/core/step.ts';

const atMs = Date.UTC(2026, 10, 21, 12);
const id = '20261121T120000-hv01';
const old = {
  version: 1,
  epoch: 7,
  revision: 42,
  life: 'abc',
  sequence: 12,
  phase: {
    kind: 'refreshing',
    sinceMs: atMs,
    job: { name: 'refresh-inventory', id: 'refresh-abc-12', data: { servers: false, requestedAtMs: atMs } },
  },
  recoveries: [
    {
      incident: id,
      dead: 'hv01',
      spare: 'hv04',
      sinceMs: atMs,
      job: {
        name: 'evacuate',
        id: `evacuate-${id}-2`,
        data: {
          incident: id,
          dead: 'hv01',
          spare: 'hv04',
          attempt: 2,
          epoch: 7,
          requestedAtMs: atMs,
          startByMs: atMs + 120_000,
          judgedAtMs: atMs,
          evidence: ['no heartbeat'],
          address: '10.0.0.1',
          controls: [{ name: 'hv02', endpoints: [{ address: '10.0.0.2', port: 22 }] }],
        },
      },
      retryAtMs: null,
    },
  ],
  cooldown: { sinceMs: atMs, incidents: [id] },
  standing: {
    cloud: { name: 'inventory-stale', signature: '|', sinceMs: atMs, firstMs: atMs, refusal: null },
    hv02: { name: 'silent', signature: '', sinceMs: atMs, firstMs: atMs - 1_000, refusal: null },
    hv03: {
      name: 'fence-failed',
      signature: '|hv03',
      sinceMs: atMs,
      firstMs: atMs - 2_000,
      refusal: { name: 'fence-failed', host: 'hv03', levels: [] },
    },
    'zone a': {
      name: 'control-plane-suspect',
      signature: 'agents',
      sinceMs: atMs,
      firstMs: atMs,
      refusal: null,
    },
  },
  backoffs: 0,
  lastReport: {
    incident: 'earlier',
    dead: 'hv09',
    spare: 'hv08',
    outcome: 'done',
    refusal: null,
    acted: true,
    instances: [
      { id: 'i', name: 'vm', outcome: 'recovered', why: null, before: 'ACTIVE', after: 'ACTIVE', tookMs: 1 },
    ],
    tookMs: 5,
  },
  recoveryEndedMs: 5,
  hold: { sinceMs: 3, why: 'Redis is empty' },
  unproven: false,
  fencing: 'none',
};

describe('version 1', () => {
  const state = storedStateSchema.parse(old);

  test('a recovery under way goes on under its old name, by a job of today', () => {
    expect(state.incidents[0]).toMatchObject({
      id,
      stage: 'recovering',
      recovery: { id, number: 1, plan: { enable: ['hv04'] } },
    });
    expect(awaitedJobs(state)).toMatchObject([
      { name: 'recover', id: `recover-${id}-2`, data: { recovery: id, dead: 'hv01', attempt: 2 } },
    ]);
    expect(assignmentsOf(state)).toEqual({ epoch: 7, revision: 42, jobs: { [id]: `recover-${id}-2` } });
  });

  test('cooldown, safe mode and what counts copies are kept', () => {
    expect(state).toMatchObject({
      epoch: 7,
      revision: 42,
      life: 'abc',
      sequence: 12,
      cooldown: { sinceMs: atMs, recoveries: [id] },
      safeMode: { sinceMs: 3, why: 'Redis is empty' },
      recoveryEndedMs: 5,
    });
  });

  test('what stood for a host stands on its incident; what stood for the cloud is found anew', () => {
    expect(state.incidents.slice(1)).toMatchObject([
      { subject: { name: 'hv02' }, stage: 'silent', raised: null },
      { subject: { name: 'hv03' }, stage: 'dead', raised: { by: 'ns4', refusal: { name: 'fence-failed' } } },
    ]);
    expect(state.raised).toEqual([]);
  });

  test('the last report is one of today', () => {
    expect(state.reports).toMatchObject([
      { recovery: 'earlier', targets: [{ kind: 'host', host: 'hv08' }], instances: [{ to: 'hv08' }] },
    ]);
  });
});

test('a state of today is left as it is; anything else is refused, not guessed at', () => {
  const now = firstState('life');
  expect(storedStateSchema.parse(now)).toEqual(now);
  expect(storedStateSchema.safeParse({ ...now, version: 3 }).success).toBe(false);
  expect(storedStateSchema.safeParse({ version: 1 }).success).toBe(false);
});
