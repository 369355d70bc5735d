// What ns4 tells of hosts that were recovered: a silent one costs little, one that is heard is looked at closely.
import { expect, test } from 'vitest';
import { CloudError, type MigrationRecord } from '../../../../src/ns4/cloud/cloud.ts';
import { lookAtRecovered } from '../../../../src/ns4/jobs/look-at-recovered.ts';
import type { Agent, Server } from '../../../../src/shared/documents/inventory.ts';
import type { ScanResult, ScanTarget } from '../../../../src/shared/documents/jobs/scan.ts';
import { type Clock, systemClock } from '../../../../src/shared/ground/clock.ts';
import { agent, hypervisor, nowMs, picture, server } from '../../../support/inventories.ts';

const sinceMs = nowMs - 100_000;
const asked = { host: 'hv01', sinceMs, reportedAtMs: nowMs - 90_000, hasLeft: false };

interface Seen {
  heartbeatAtMs?: number;
  reportedAtMs?: number;
  answering?: string[];
  migrations?: [id: string, status: string][];
  /** Known to Nova: on hv01, and elsewhere. */
  here?: Server[];
  elsewhere?: Server[];
  address?: null;
  /** As the stored inventory has its agents, and what is on it. */
  known?: Agent[];
  stored?: Server[];
  /** Questions that the cloud does not answer. */
  failing?: Question[];
  /** Questions that hang until nobody waits any more. */
  hanging?: Question[];
  scanFails?: string;
  clock?: Clock;
}

type Question = 'agents' | 'services' | 'evacuations' | 'servers' | 'instance';

async function look(seen: Seen, change: Partial<typeof asked> = {}) {
  const calls: string[] = [];
  const scanned: ScanTarget[] = [];
  const { here = [], elsewhere = [], known = [], stored = here } = seen;
  const migration = ([instanceId, status]: [string, string]): MigrationRecord => ({
    ...{ uuid: `m-${instanceId}`, instanceId, status, source: 'hv01', target: 'hv04', createdAtMs: sinceMs },
    ...{ type: 'evacuation', updatedAtMs: sinceMs },
  });
  const asks = async <T>(question: Question, signal: AbortSignal, answer: T): Promise<T> => {
    if (seen.failing?.includes(question)) throw new CloudError('not-done', `${question}: 503`, 503);
    if (seen.hanging?.includes(question))
      await new Promise<never>((_, reject) => {
        const stop = () => reject(new CloudError('not-done', `${question}: stopped`, null));
        signal.addEventListener('abort', stop);
      });
    return answer;
  };
  const shown = await lookAtRecovered([{ ...asked, ...change }], {
    cloud: {
      listAgents: (signal) =>
        asks('agents', signal, [
          {
            ...{ id: 'a', host: 'hv01', binary: 'agent', alive: true },
            heartbeatAtMs: (seen.heartbeatAtMs ?? sinceMs - 1) + 5_000,
          },
        ]),
      listComputeServices: (signal) =>
        asks('services', signal, [
          {
            ...{ id: 's', host: 'hv01', zone: 'nova', state: 'down', status: 'disabled' },
            ...{ disabledReason: null, forcedDown: true },
            reportedAtMs: (seen.reportedAtMs ?? nowMs - 90_000) + 5_000,
          },
        ]),
      listEvacuations: (_, signal) => {
        calls.push('evacuations');
        return asks('evacuations', signal, (seen.migrations ?? []).map(migration));
      },
      listServers: (signal) => {
        calls.push('servers');
        return asks('servers', signal, here);
      },
      readServer: (id, signal) =>
        asks('instance', signal, [...here, ...elsewhere].find((known) => known.id === id) ?? null),
      clockSkewMs: () => 5_000,
    },
    clock: seen.clock ?? systemClock,
    ...{ hypervisorPorts: [22], instancePorts: [22] },
    signal: new AbortController().signal,
    inventory: async () =>
      picture({
        hypervisors: [hypervisor('hv01', seen.address === null ? { address: null } : {})],
        agents: known,
        servers: stored,
      }),
    scan: async (targets): Promise<ScanResult> => {
      scanned.push(...targets);
      if (seen.scanFails !== undefined) return { ok: false, detail: seen.scanFails };
      const found = targets.map(({ name }) => [
        name,
        seen.answering?.includes(name) === true
          ? { state: 'answers', detail: 'port 22 open' }
          : { state: 'silent', detail: 'silent' },
      ]);
      return {
        ...{ ok: true, outcome: 'blind', controls: {}, tookMs: 1 },
        targets: Object.fromEntries(found),
      };
    },
  });
  return { hv01: shown.hv01, calls, scanned: scanned.map(({ name }) => name) };
}

test('a silent one costs its agents, its service and a scan', async () => {
  const { hv01, calls, scanned } = await look({});
  expect(hv01).toEqual({
    ...{ answers: null, guests: [], clearing: null, unknown: null },
    ...{ heartbeatAtMs: sinceMs - 1, reportedAtMs: nowMs - 90_000 },
  });
  expect([calls, scanned]).toEqual([[], ['hv01']]);
});

test.each<[string, Seen]>([
  ['it answers, to whomever', { answering: ['hv01'] }],
  ['a heartbeat since', { heartbeatAtMs: sinceMs + 1 }],
  ['its nova-compute reported since', { reportedAtMs: nowMs - 80_000 }],
])('heard, so Nova is asked whether it has cleared up: %s', async (_, seen) => {
  const { hv01, calls } = await look({ ...seen, address: 'answering' in seen ? undefined : null } as Seen);
  expect(calls.sort()).toEqual(['evacuations', 'servers']);
  expect(hv01?.clearing).toEqual({ unfinished: [], recorded: [], listed: 0 });
});

test('unfinished: whatever Nova neither completed nor gave up, of instances that still exist', async () => {
  const { hv01 } = await look({
    answering: ['hv01'],
    migrations: [
      ['id-vm1', 'done'],
      ['id-vm2', 'completed'],
      ['id-vm3', 'accepted'],
      ['id-vm4', 'failed'],
      ['id-vm5', 'error'],
      ['id-deleted', 'done'],
    ],
    here: [server('vm3', 'hv01')],
    elsewhere: ['vm1', 'vm2'].map((name) => server(name, 'hv04')),
  });
  expect(hv01?.clearing).toEqual({
    unfinished: [
      { id: 'id-vm1', name: 'vm1' },
      { id: 'id-vm3', name: 'vm3' },
    ],
    recorded: ['id-vm1', 'id-vm2', 'id-vm3', 'id-vm4', 'id-vm5', 'id-deleted'],
    listed: 1,
  });
});

test('instances that were left on it are asked as well, and may be all that is heard', async () => {
  const here = [
    ...['vm1', 'vm2'].map((name) => server(name, 'hv01')),
    server('vm3', 'hv01', { powerState: 4 }),
    server('vm4', 'hv01', { taskState: 'migrating' }),
  ];
  const { hv01, scanned } = await look({ answering: ['id-vm2'], here }, { hasLeft: true });
  expect(scanned, 'one that is stopped would tell as well').toEqual(['hv01', 'id-vm1', 'id-vm2', 'id-vm3']);
  expect(hv01).toMatchObject({ answers: null, guests: ['vm2'], clearing: { listed: 4 } });
});

test('an instance that is stored there and has moved since may answer from elsewhere', async () => {
  const stored = [server('vm1', 'hv01'), server('vm2', 'hv01')];
  const here = [server('vm2', 'hv01')];
  expect((await look({ here, stored }, { hasLeft: true })).scanned).toEqual(['hv01', 'id-vm2']);
});

test('of OVN only a beat that was found to move counts', async () => {
  const ovn = (says: 'alive' | 'silent') =>
    agent('hv01', 0, {
      ...{ binary: 'ovn-controller', heartbeatAtMs: nowMs },
      ovn: {
        ...{ says, why: 'moved', baseMs: nowMs, isBehind: false, silentSinceMs: null },
        ...{ heardAtMs: nowMs - 3_000, heardAfterMs: nowMs - 60_000, lookedAtMs: nowMs },
      },
    });
  expect((await look({ known: [ovn('alive')] })).hv01?.heartbeatAtMs).toBe(nowMs - 3_000);
  expect((await look({ known: [ovn('silent')] })).hv01?.heartbeatAtMs).toBe(sinceMs - 1);
});

const everything: Question[] = ['agents', 'services', 'evacuations', 'servers', 'instance'];

test.each<[string, Seen, object]>([
  [
    'all of it',
    { failing: everything },
    {
      ...{ answers: 'port 22 open', heartbeatAtMs: null, reportedAtMs: null, clearing: null },
      unknown: 'servers: 503; services: 503; agents: 503; evacuations: 503',
    },
  ],
  [
    'Neutron alone',
    { failing: ['agents'] },
    { reportedAtMs: nowMs - 90_000, heartbeatAtMs: null, clearing: { listed: 1 }, unknown: 'agents: 503' },
  ],
  [
    'one instance',
    { failing: ['instance'], migrations: [['id-vm1', 'done']] },
    { answers: 'port 22 open', clearing: null, unknown: 'instance: 503' },
  ],
])('the cloud does not answer, what the scan hears is told: %s', async (_, seen, expected) => {
  const here = [server('vm1', 'hv01')];
  const { hv01 } = await look({ answering: ['hv01'], here, ...seen }, { hasLeft: true });
  expect(hv01).toMatchObject({ answers: 'port 22 open', ...expected });
});

test('instances that may have moved are not asked while Nova cannot tell where they are', async () => {
  const here = [server('vm1', 'hv01')];
  expect((await look({ failing: ['servers'], here }, { hasLeft: true })).scanned).toEqual(['hv01']);
});

test('a cloud that hangs is not waited for beyond a limit', async () => {
  // Every limit is met at once, unless what it is for has ended.
  const clock: Clock = { ...systemClock, sleep: (_, signal) => systemClock.sleep(1, signal) };
  const { hv01 } = await look({ answering: ['hv01'], hanging: everything, clock });
  expect(hv01).toMatchObject({
    ...{ answers: 'port 22 open', clearing: null },
    unknown: 'services: stopped; agents: stopped; evacuations: stopped',
  });
});

test('a scan that failed is no silence', async () => {
  expect((await look({ scanFails: 'EMFILE' })).hv01).toMatchObject({ answers: null, unknown: 'EMFILE' });
});
