// One instance first: what its evacuation shows of its target, and who it is.
import { describe, expect, test } from 'vitest';
import type { MigrationRecord } from '../../../../../../src/ns4/cloud/cloud.ts';
import type { JournalEntry } from '../../../../../../src/ns4/recovery/journal/journal.ts';
import { canaryOf, standingOf } from '../../../../../../src/ns4/recovery/movers/nova/canary.ts';
import { nowMs, server } from '../../../../../support/inventories.ts';

const hv04 = { kind: 'host', host: 'hv04' } as const;
const anywhere = { kind: 'scheduler' } as const;

const entry = (name: string, change: Partial<JournalEntry> = {}): JournalEntry => ({
  id: `id-${name}`,
  name,
  before: { status: 'ACTIVE', vmState: 'active', powerState: 1, launchedAtMs: null },
  wave: 1,
  target: hv04,
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
const asked = (name: string, change: Partial<JournalEntry> = {}) =>
  entry(name, { state: 'asked', attempts: 1, askedAtMs: nowMs, ...change });
const ended = (name: string, outcome: 'failed' | 'unfinished' | 'skipped') =>
  asked(name, {
    state: 'ended',
    report: {
      ...{ id: `id-${name}`, name, outcome, why: 'why', before: 'ACTIVE', after: null, to: null },
      ...{ tookMs: 1, answers: null },
    },
  });
const record = (status: string, target: string | null = 'hv04'): MigrationRecord => ({
  uuid: 'm',
  type: 'evacuation',
  instanceId: 'id',
  status,
  source: 'hv01',
  target,
  createdAtMs: nowMs,
  updatedAtMs: nowMs,
});

describe('how a target stands', () => {
  type Instance = [JournalEntry, ...MigrationRecord[]];
  const standing = (
    instances: Instance[],
    out: string[] = [],
    target: typeof hv04 | typeof anywhere = hv04,
  ) =>
    standingOf(target, {
      entries: instances.map(([e]) => e),
      records: ({ id }) => instances.find(([e]) => e.id === id)?.slice(1) as MigrationRecord[],
      isOut: ({ name }) => out.includes(name),
    });
  const waiting: Instance = [entry('vm9')];

  test.each<[string, Instance[], string[], string]>([
    ['nobody was asked for', [waiting], [], 'untried'],
    ['asked for, no trace yet', [[asked('vm1')], waiting], ['vm1'], 'tried'],
    ['accepted', [[asked('vm1'), record('accepted')], waiting], ['vm1'], 'tried'],
    ['asked for, and its request was lost: it says nothing', [[asked('vm1')], waiting], [], 'untried'],
    ['Nova has begun with it', [[asked('vm1'), record('pre-migrating')], waiting], ['vm1'], 'takes'],
    ['it is there', [[asked('vm1'), record('done')], waiting], [], 'takes'],
    ['it failed there, so Nova had begun with it', [[asked('vm1'), record('failed')], waiting], [], 'takes'],
    ['no place for one: it may have reasons of its own', [[asked('vm1'), record('error')]], [], 'untried'],
    [
      'no place for three',
      [
        [asked('vm1'), record('error')],
        [asked('vm2'), record('error')],
        [ended('vm3', 'failed'), record('error')],
        waiting,
      ],
      [],
      'refuses',
    ],
    [
      'no place for three, but for a fourth one',
      [
        [asked('vm1'), record('error')],
        [asked('vm2'), record('error')],
        [asked('vm3'), record('error')],
        [asked('vm4'), record('pre-migrating')],
        waiting,
      ],
      [],
      'takes',
    ],
    ['Nova never began with it', [[ended('vm1', 'unfinished'), record('accepted')], waiting], [], 'refuses'],
    [
      'another target refused three: it says nothing of this one',
      [
        [asked('vm1', { attemptsElsewhere: 1 }), record('error', 'hv05')],
        [asked('vm2', { attemptsElsewhere: 1 }), record('error', 'hv05')],
        [asked('vm3', { attemptsElsewhere: 1 }), record('error', 'hv05')],
      ],
      [],
      'untried',
    ],
  ])('%s: %s', (_, instances, out, kind) => {
    expect(standing(instances, out).kind).toBe(kind);
  });

  test("where Nova's scheduler chooses, only what was asked of it counts", () => {
    const turned = (name: string) => asked(name, { target: anywhere, attempts: 2, attemptsElsewhere: 1 });
    const one: Instance = [turned('vm1'), record('pre-migrating', 'hv07'), record('error')];
    expect(standing([one], [], anywhere).kind).toBe('takes');
    const fresh: Instance = [turned('vm1'), record('error', null), record('error')];
    expect(standing([fresh], [], anywhere).kind).toBe('untried');
  });

  test('the reason names who found no place', () => {
    const three = ['vm1', 'vm2', 'vm3'].map((name): Instance => [asked(name), record('error')]);
    expect(standing(three)).toEqual({
      kind: 'refuses',
      why: 'Nova found no place for "vm1", "vm2", "vm3" with hv04 as its target',
    });
  });
});

test('the canary is the smallest one that ran and was asked for least', () => {
  const one = (name: string, memoryMb: number, change: Partial<JournalEntry> = {}) => ({
    entry: entry(name, change),
    server: server(name, 'hv01', { memoryMb }),
  });
  const off = { before: { status: 'SHUTOFF', vmState: 'stopped', powerState: 4, launchedAtMs: null } };
  const [big, small, stopped, again] = [
    one('big', 4_096),
    one('small', 1_024),
    one('stopped', 512, off),
    one('again', 256, { attempts: 1 }),
  ];
  expect(canaryOf([again, stopped, big, small])?.entry.name).toBe('small');
  expect(canaryOf([again, stopped])?.entry.name).toBe('stopped');
  expect(canaryOf([])).toBeUndefined();
});
