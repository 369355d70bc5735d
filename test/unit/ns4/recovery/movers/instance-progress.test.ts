// The look before every request, as a table: what Nova shows of an instance, and what may follow from it.
import { describe, expect, test } from 'vitest';
import type { EvacuationMigration, PortBinding } from '../../../../../src/ns4/cloud/cloud.ts';
import type { JournalEntry } from '../../../../../src/ns4/recovery/journal/journal.ts';
import {
  lostRequestMs,
  progressOf,
  type Seen,
} from '../../../../../src/ns4/recovery/movers/instance-progress.ts';
import { nowMs, server } from '../../../../support/inventories.ts';

const entry = (change: Partial<JournalEntry> = {}): JournalEntry => ({
  id: 'id-vm1',
  name: 'vm1',
  before: { status: 'ACTIVE', vmState: 'active' },
  wave: 1,
  target: { kind: 'host', host: 'hv04' },
  otherwise: null,
  perhapsAtTarget: false,
  state: 'pending',
  attempts: 0,
  attemptsElsewhere: 0,
  askedAtMs: null,
  report: null,
  ...change,
});
const asked = (agoMs: number, change: Partial<JournalEntry> = {}) =>
  entry({ state: 'asked', attempts: 1, askedAtMs: nowMs - agoMs, ...change });
const migration = (status: string, change: Partial<EvacuationMigration> = {}): EvacuationMigration => ({
  uuid: 'm1',
  instanceId: 'id-vm1',
  status,
  source: 'hv01',
  target: 'hv04',
  createdAtMs: nowMs - 1_000,
  ...change,
});
const port = (change: Partial<PortBinding> = {}): PortBinding => ({
  id: 'p1',
  instanceId: 'id-vm1',
  host: 'hv04',
  vifType: 'ovs',
  status: 'ACTIVE',
  ...change,
});

const dead = (change = {}) => server('vm1', 'hv01', change);
const moved = (change = {}) => server('vm1', 'hv04', change);

describe('progress of an instance', () => {
  const table: [string, Partial<Seen>, string][] = [
    ['untouched on the dead host', { server: dead() }, 'waiting'],
    [
      'ERROR on the dead host, never asked',
      { server: dead({ status: 'ERROR', vmState: 'error' }) },
      'waiting',
    ],
    ['an open migration', { server: dead(), migrations: [migration('accepted')] }, 'under-way'],
    [
      'an open migration of somebody else, long ago',
      { server: dead(), migrations: [migration('pre-migrating', { createdAtMs: 0 })] },
      'under-way',
    ],
    [
      'REBUILD without a migration',
      { server: dead({ status: 'REBUILD', taskState: 'rebuilding' }) },
      'under-way',
    ],
    ['task state of a rebuild', { server: dead({ taskState: 'rebuild_block_device_mapping' }) }, 'under-way'],
    [
      'done but still on the old host (70 ms)',
      { entry: asked(100), server: dead(), migrations: [migration('done')] },
      'under-way',
    ],
    ['asked, no trace yet', { entry: asked(1_000), server: dead() }, 'under-way'],
    [
      'asking (crashed), no trace yet',
      { entry: asked(1_000, { state: 'asking' }), server: dead() },
      'under-way',
    ],
    [
      'asked, no trace for long',
      { entry: asked(lostRequestMs + 1), server: dead(), lookedForMs: lostRequestMs },
      'waiting',
    ],
    [
      'asked long ago, but by another worker or before the clock was set',
      { entry: asked(lostRequestMs + 1), server: dead(), lookedForMs: lostRequestMs - 1 },
      'under-way',
    ],
    [
      'Nova gave up',
      {
        entry: asked(5_000),
        server: dead({ status: 'ERROR', fault: 'No valid host was found.' }),
        migrations: [migration('error')],
      },
      'failed',
    ],
    [
      'an old failure is not ours',
      { server: dead(), migrations: [migration('error', { createdAtMs: 0 })] },
      'waiting',
    ],
    [
      'second request without trace yet, the first failed',
      { entry: asked(1_000, { attempts: 2 }), server: dead(), migrations: [migration('error')] },
      'under-way',
    ],
    ['back', { entry: asked(5_000), server: moved(), ports: [port()] }, 'back'],
    ['back without ports', { entry: asked(5_000), server: moved(), ports: [] }, 'back'],
    [
      'on the spare, task running',
      { entry: asked(5_000), server: moved({ taskState: 'spawning' }), ports: [port()] },
      'settling',
    ],
    [
      'on the spare, migration not ended',
      { entry: asked(5_000), server: moved(), migrations: [migration('accepted')], ports: [port()] },
      'under-way',
    ],
    ['on the spare, ports not seen', { entry: asked(5_000), server: moved(), ports: null }, 'settling'],
    [
      'on the spare, port on the old host',
      { entry: asked(5_000), server: moved(), ports: [port({ host: 'hv01' })] },
      'settling',
    ],
    [
      'on the spare, no network',
      { entry: asked(5_000), server: moved(), ports: [port({ vifType: 'binding_failed' })] },
      'settling',
    ],
    [
      'on the spare in ERROR',
      { entry: asked(5_000), server: moved({ status: 'ERROR' }), ports: [port()] },
      'failed',
    ],
    [
      'stopped stays stopped',
      {
        entry: asked(5_000, { before: { status: 'SHUTOFF', vmState: 'stopped' } }),
        server: moved({ status: 'SHUTOFF' }),
        ports: [port()],
      },
      'back',
    ],
    [
      'stopped, but it runs now',
      {
        entry: asked(5_000, { before: { status: 'SHUTOFF', vmState: 'stopped' } }),
        server: moved(),
        ports: [port()],
      },
      'settling',
    ],
    [
      'was in ERROR, runs again',
      {
        entry: asked(5_000, { before: { status: 'ERROR', vmState: 'error' } }),
        server: moved(),
        ports: [port()],
      },
      'back',
    ],
    ['deleted', { server: null }, 'gone'],
    ['moved elsewhere by somebody', { server: server('vm1', 'hv07') }, 'elsewhere'],
  ];
  test.each(table)('%s', (_, seen, kind) => {
    const progress = progressOf({
      entry: entry(),
      server: null,
      migrations: [],
      ports: null,
      dead: 'hv01',
      sinceMs: nowMs - 60_000,
      lookedForMs: 1_000,
      ...seen,
    });
    expect(progress.kind).toBe(kind);
  });
});

describe("where Nova's scheduler chose", () => {
  const chosen = (change: Partial<JournalEntry> = {}) =>
    asked(5_000, { target: { kind: 'scheduler' }, ...change });
  const done = migration('done', { target: 'hv07' });
  const there = (change = {}) => server('vm1', 'hv07', change);
  const portThere = [port({ host: 'hv07' })];
  const table: [string, Partial<Seen>, Partial<ReturnType<typeof progressOf>>][] = [
    [
      'not asked for yet',
      { server: dead(), entry: entry({ target: { kind: 'scheduler' } }) },
      { kind: 'waiting' },
    ],
    ['back', { server: there(), migrations: [done], ports: portThere }, { kind: 'back', at: 'hv07' }],
    [
      'its port still elsewhere',
      { server: there(), migrations: [done], ports: [port()] },
      { kind: 'settling' },
    ],
    [
      'its migration is not done',
      { server: there(), migrations: [migration('failed', { target: 'hv07' })], ports: portThere },
      { kind: 'settling', detail: 'no migration to hv07 is done' },
    ],
    [
      'in ERROR there',
      { server: there({ status: 'ERROR', vmState: 'error' }), migrations: [done] },
      { kind: 'failed', at: 'hv07', isCertain: false },
    ],
    [
      'somebody moved it, we never asked',
      { server: there(), entry: entry({ target: { kind: 'scheduler' } }) },
      { kind: 'elsewhere' },
    ],
    [
      'somebody moved it to another host than ours went to',
      { server: there(), migrations: [migration('done')] },
      { kind: 'elsewhere' },
    ],
    [
      'moved by an evacuation of an earlier recovery',
      { server: there(), migrations: [migration('done', { target: 'hv07', createdAtMs: 0 })] },
      { kind: 'elsewhere' },
    ],
    ['on no host', { server: { ...there(), host: null } }, { kind: 'elsewhere', host: 'no host' }],
  ];
  test.each(table)('%s', (_, seen, expected) => {
    const progress = progressOf({
      entry: chosen(),
      server: null,
      migrations: [],
      ports: null,
      dead: 'hv01',
      sinceMs: nowMs - 60_000,
      lookedForMs: 1_000,
      ...seen,
    });
    expect(progress).toMatchObject(expected);
  });
});

test.each([
  ['Nova found no place', ['error'], 1, true],
  ['twice', ['error', 'error'], 2, true],
  ['the rebuild failed at the target', ['failed'], 1, false],
  ['the rebuild failed, and then Nova found no place', ['error', 'failed'], 2, false],
] as const)('is it certain that nothing runs at the target? %s', (_, statuses, attempts, isCertain) => {
  const migrations = statuses.map((status) => migration(status));
  const server = dead({ status: 'ERROR', vmState: 'error' });
  const seen = { entry: asked(5_000, { attempts }), server, migrations, ports: null, dead: 'hv01' };
  expect(progressOf({ ...seen, sinceMs: nowMs - 60_000, lookedForMs: 1_000 })).toMatchObject({
    kind: 'failed',
    at: null,
    isCertain,
  });
});
