// The look before every request, as a table: what Nova shows of an instance, and what may follow from it.
import { describe, expect, test } from 'vitest';
import type { MigrationRecord, PortBinding } from '../../../../../src/ns4/cloud/cloud.ts';
import type { JournalEntry } from '../../../../../src/ns4/recovery/journal/journal.ts';
import {
  lostRequestMs,
  progressOf,
  type Seen,
} from '../../../../../src/ns4/recovery/movers/instance-progress.ts';
import { nowMs, server } from '../../../../support/inventories.ts';

const was = (status: string, vmState: string, powerState = 1): JournalEntry['before'] => ({
  ...{ status, vmState, powerState },
  launchedAtMs: null,
});
const entry = (change: Partial<JournalEntry> = {}): JournalEntry => ({
  id: 'id-vm1',
  name: 'vm1',
  before: was('ACTIVE', 'active'),
  wave: 1,
  target: { kind: 'host', host: 'hv04' },
  otherwise: null,
  perhapsAtTarget: false,
  reboot: null,
  state: 'pending',
  attempts: 0,
  attemptsElsewhere: 0,
  askedAtMs: null,
  endedAtMs: null,
  report: null,
  ...change,
});
const asked = (agoMs: number, change: Partial<JournalEntry> = {}) =>
  entry({ state: 'asked', attempts: 1, askedAtMs: nowMs - agoMs, ...change });
const migration = (status: string, change: Partial<MigrationRecord> = {}): MigrationRecord => ({
  uuid: 'm1',
  type: 'evacuation',
  instanceId: 'id-vm1',
  status,
  source: 'hv01',
  target: 'hv04',
  createdAtMs: nowMs - 1_000,
  updatedAtMs: change.createdAtMs ?? nowMs - 1_000,
  ...change,
});
const port = (change: Partial<PortBinding> = {}): PortBinding => ({
  id: 'p1',
  instanceId: 'id-vm1',
  host: 'hv04',
  vifType: 'ovs',
  status: 'ACTIVE',
  isSwitchedOn: true,
  ...change,
});

const dead = (change = {}) => server('vm1', 'hv01', change);
const moved = (change = {}) => server('vm1', 'hv04', change);

const seenAs = (seen: Partial<Seen>) =>
  progressOf({
    ...{ entry: entry(), server: null, migrations: [], ports: null },
    ...{ dead: 'hv01', sinceMs: nowMs - 60_000, nowMs, lookedForMs: 1_000 },
    ...seen,
  });

test("no spare fits, as by the affinity of its server group: it failed with Nova's own words", () => {
  const entry = asked(5_000, { attempts: 3 });
  const statuses = [migration('error'), migration('error'), migration('error')];
  const fault = 'No valid host was found. ';
  const found = seenAs({ entry, server: dead({ status: 'ERROR', fault }), migrations: statuses });
  expect(found).toMatchObject({
    kind: 'failed',
    isCertain: true,
    why: expect.stringContaining('No valid host was found'),
  });
});

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
      'an open migration of somebody else, an hour ago',
      { server: dead(), migrations: [migration('pre-migrating', { createdAtMs: nowMs - 3_600_000 })] },
      'under-way',
    ],
    [
      'an evacuation that nobody ended, older than its launch',
      { server: dead(), migrations: [migration('accepted', { createdAtMs: 0 })] },
      'waiting',
    ],
    [
      'older than its launch, but it shows',
      {
        server: dead({ status: 'REBUILD', taskState: 'rebuilding' }),
        migrations: [migration('accepted', { createdAtMs: 0 })],
      },
      'under-way',
    ],
    [
      'older than its launch, which it made itself a moment ago: Nova names the new host last',
      {
        server: dead({ launchedAtMs: nowMs - 1_000 }),
        migrations: [migration('pre-migrating', { createdAtMs: nowMs - 300_000 })],
      },
      'under-way',
    ],
    [
      'the rebuild that its user ordered: no evacuation',
      { server: dead({ status: 'REBUILD', taskState: 'rebuilding' }) },
      'left-alone',
    ],
    [
      'REBUILD after a request of ours, without a migration yet',
      { entry: asked(1_000), server: dead({ status: 'REBUILD', taskState: 'rebuilding' }) },
      'under-way',
    ],
    [
      'its migration has ended, its state has not',
      {
        entry: asked(1_000),
        server: dead({ status: 'REBUILD', taskState: 'rebuilding' }),
        migrations: [migration('error')],
      },
      'under-way',
    ],
    [
      'a stopped one that is powered off on its way',
      {
        entry: asked(5_000, { before: was('SHUTOFF', 'stopped', 4) }),
        server: dead({ taskState: 'powering-off' }),
        migrations: [migration('done')],
      },
      'under-way',
    ],
    [
      'done but still on the old host (70 ms)',
      { entry: asked(100), server: dead(), migrations: [migration('done')] },
      'under-way',
    ],
    ['asked, no trace yet', { entry: asked(1_000), server: dead() }, 'under-way'],
    [
      'asked, no trace yet, but one of an evacuation to another host that Nova gave up on',
      { entry: asked(1_000), server: dead(), migrations: [migration('error', { target: 'hv09' })] },
      'under-way',
    ],
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
    [
      'in ERROR, and it ran',
      { entry: entry({ before: was('ERROR', 'error') }), server: dead({ status: 'ERROR' }) },
      'waiting',
    ],
    [
      'in ERROR, and it never ran',
      { entry: entry({ before: was('ERROR', 'error', 0) }), server: dead({ status: 'ERROR' }) },
      'left-alone',
    ],
    ['back', { entry: asked(5_000), server: moved(), ports: [port()] }, 'back'],
    [
      'ACTIVE on the spare, but nothing runs',
      { entry: asked(5_000), server: moved({ powerState: 0 }), ports: [port()] },
      'settling',
    ],
    [
      'its port is not wired yet',
      { entry: asked(5_000), server: moved(), ports: [port({ status: 'BUILD' })] },
      'settling',
    ],
    [
      'its port is switched off, and so DOWN',
      { entry: asked(5_000), server: moved(), ports: [port({ status: 'DOWN', isSwitchedOn: false })] },
      'back',
    ],
    [
      'stopped, its port is DOWN',
      {
        entry: asked(5_000, { before: was('SHUTOFF', 'stopped', 4) }),
        server: moved({ status: 'SHUTOFF', powerState: 4 }),
        ports: [port({ status: 'DOWN' })],
      },
      'back',
    ],
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
    [
      'on the spare, an old record not ended: it was launched since',
      {
        entry: asked(5_000),
        server: moved({ launchedAtMs: nowMs - 1_000 }),
        migrations: [migration('done'), migration('accepted', { createdAtMs: 0 })],
        ports: [port()],
      },
      'back',
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
        entry: asked(5_000, { before: was('SHUTOFF', 'stopped', 4) }),
        server: moved({ status: 'SHUTOFF', powerState: 4 }),
        ports: [port()],
      },
      'back',
    ],
    [
      'stopped, but it runs now',
      {
        entry: asked(5_000, { before: was('SHUTOFF', 'stopped', 4) }),
        server: moved(),
        ports: [port()],
      },
      'settling',
    ],
    [
      'was in ERROR, runs again',
      {
        entry: asked(5_000, { before: was('ERROR', 'error') }),
        server: moved(),
        ports: [port()],
      },
      'back',
    ],
    ['deleted', { server: null }, 'gone'],
    ['moved elsewhere by somebody', { server: server('vm1', 'hv07') }, 'elsewhere'],
  ];
  test.each(table)('%s', (_, seen, kind) => {
    expect(seenAs(seen).kind).toBe(kind);
  });
});

describe('what somebody else does to it is left alone, and named with the place to look', () => {
  const live = (status: string, change: Partial<MigrationRecord> = {}) =>
    migration(status, { type: 'live-migration', target: 'hv02', ...change });
  const table: [string, Partial<Seen>, RegExp][] = [
    [
      'a live migration',
      { server: dead({ status: 'MIGRATING', taskState: 'migrating' }), migrations: [live('running')] },
      /^it is being live-migrated from hv01 to hv02 \(running\): it may run there, look there \(virsh list\)$/,
    ],
    [
      'a live migration whose task is over, its record is not',
      { server: dead(), migrations: [live('post-migrating')] },
      /live-migrated from hv01 to hv02/,
    ],
    [
      'migrating, and no record',
      { server: dead({ status: 'MIGRATING', taskState: 'migrating' }) },
      /live-migrated, and no record says where to/,
    ],
    [
      'a cold migration to the dead host',
      {
        server: dead(),
        migrations: [migration('migrating', { type: 'migration', source: 'hv02', target: 'hv01' })],
      },
      /migrated from hv02 to hv01/,
    ],
    ['a resize', { server: dead(), migrations: [live('pre-migrating', { type: 'resize' })] }, /resized from/],
    ['an unknown word for its status', { server: dead(), migrations: [live('pondering')] }, /pondering/],
    ['deleting', { server: dead({ taskState: 'deleting' }) }, /it is being deleted/],
    [
      'powering-on',
      { server: dead({ taskState: 'powering-on' }) },
      /ordered something \(powering-on\) that hv01/,
    ],
    ['rebooting', { server: dead({ taskState: 'rebooting_hard' }) }, /rebooting_hard/],
    ['resizing', { server: dead({ taskState: 'resize_prep' }) }, /resize_prep/],
    [
      'the rebuild of its user',
      { server: dead({ status: 'REBUILD', taskState: 'rebuilding' }) },
      /ordered its rebuild \(rebuilding\), which is no evacuation/,
    ],
    [
      'an evacuation of an earlier recovery failed half-way, on another host',
      {
        server: dead({ launchedAtMs: nowMs - 7_200_000 }),
        migrations: [migration('failed', { target: 'hv05', createdAtMs: nowMs - 3_600_000 })],
      },
      /to hv05 failed half-way: it may run on hv05: look there \(virsh list\)$/,
    ],
    [
      'ours did, and its other target is wanted now',
      {
        entry: asked(9_000, { target: { kind: 'scheduler' } }),
        server: dead({ status: 'ERROR', vmState: 'error', fault: 'Timed out' }),
        migrations: [migration('failed')],
      },
      /to hv04 failed half-way \("Timed out"\): it may run on hv04/,
    ],
  ];
  test.each(table)('%s', (_, seen, why) => {
    expect(seenAs(seen)).toMatchObject({ kind: 'left-alone', why: expect.stringMatching(why) });
  });

  test.each(['completed', 'error', 'failed', 'cancelled', 'confirmed', 'finished', 'reverted', 'done'])(
    'a migration that is %s is over',
    (status) => {
      expect(seenAs({ server: dead(), migrations: [live(status)] })).toEqual({ kind: 'waiting' });
    },
  );

  test('a failed evacuation is forgotten when the instance was launched since', () => {
    const failed = migration('failed', { target: 'hv05', createdAtMs: nowMs - 7_200_000 });
    const server = dead({ launchedAtMs: nowMs - 3_600_000 });
    expect(seenAs({ server, migrations: [failed] })).toEqual({ kind: 'waiting' });
    // Its own launch, saved before it failed, is none of these.
    const itself = { ...failed, updatedAtMs: nowMs - 3_599_000 };
    expect(seenAs({ server, migrations: [itself] }).kind).toBe('left-alone');
  });

  test('after a failed evacuation to the same host it may be asked for there again, and it is said', () => {
    const failed = migration('failed', { createdAtMs: nowMs - 3_600_000 });
    const server = dead({ launchedAtMs: nowMs - 7_200_000, status: 'ERROR', fault: 'Timed out' });
    expect(seenAs({ server, migrations: [failed] })).toEqual({ kind: 'waiting' });
    const ours = { entry: asked(5_000), server, migrations: [migration('failed')] };
    expect(seenAs(ours)).toMatchObject({
      kind: 'failed',
      why: '"Timed out"; it may run on hv04: look there (virsh list)',
      isCertain: false,
    });
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
    expect(seenAs({ entry: chosen(), ...seen })).toMatchObject(expected);
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
  expect(seenAs({ entry: asked(5_000, { attempts }), server, migrations })).toMatchObject({
    kind: 'failed',
    at: null,
    isCertain,
  });
});
