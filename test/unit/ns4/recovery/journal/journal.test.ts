// Journals as they are read from Redis: this version's, and the version before's lifted; and whose turn it is in one.
import { describe, expect, test } from 'vitest';
import {
  type Journal,
  type JournalEntry,
  journalOf,
  ofTheirTurn,
} from '../../../../../src/ns4/recovery/journal/journal.ts';

/** As the version before wrote it in mid-recovery. */
const old = {
  version: 1,
  id: '20261121T120050-hv1',
  dead: 'hv1',
  spare: 'spare1',
  method: 'api',
  openedAtMs: 1_000,
  judgedAtMs: 900,
  evidence: ['silent'],
  acted: true,
  proof: { by: 'operator', who: 'alice', atMs: 950, failed: [] },
  steps: [{ atMs: 1_100, step: 'hv1 is forced down and disabled' }],
  instances: {
    a: {
      id: 'a',
      name: 'vm-a',
      before: { status: 'ACTIVE', vmState: 'active' },
      state: 'asking',
      attempts: 2,
      askedAtMs: 1_200,
      report: null,
    },
    b: {
      id: 'b',
      name: 'vm-b',
      before: { status: 'ACTIVE', vmState: 'active' },
      state: 'ended',
      attempts: 1,
      askedAtMs: 1_200,
      report: {
        id: 'b',
        name: 'vm-b',
        outcome: 'recovered',
        why: null,
        before: 'ACTIVE',
        after: 'ACTIVE',
        tookMs: 900,
      },
    },
  },
  ended: null,
};

describe('a journal of the version before', () => {
  const journal = journalOf(JSON.parse(JSON.stringify(old)));

  test('is a recovery by a plan of one move, under the name that it had', () => {
    const { spare, method, steps, instances, version, ...same } = old;
    expect(journal).toMatchObject({
      ...same,
      version: 2,
      incident: old.id,
      mover: 'api',
      plan: {
        moves: [{ instances: 'others', target: { kind: 'host', host: 'spare1' }, otherwise: null }],
        enable: ['spare1'],
      },
      progress: [{ atMs: 1_100, progress: 'hv1 is forced down and disabled' }],
    });
  });

  test('keeps what was asked for, and where what is back went', () => {
    const target = { kind: 'host', host: 'spare1' };
    expect(journal?.instances.a).toMatchObject({ state: 'asking', attempts: 2, wave: 1, target });
    expect(journal?.instances.b?.report).toMatchObject({ outcome: 'recovered', to: 'spare1' });
  });

  test('of before proofs were kept', () => {
    const { proof, ...without } = old;
    expect(journalOf(JSON.parse(JSON.stringify(without)))).toMatchObject({ proof: null });
  });

  test('read again as it is written now', () => {
    expect(journalOf(JSON.parse(JSON.stringify(journal)))).toEqual(journal);
  });
});

test.each([
  ['of a later version', { ...old, version: 3 }],
  ['without its instances', { ...old, instances: undefined }],
  ['of another kind', ['journal']],
  ['that is none', null],
])('%s: nothing is guessed', (_, text) => {
  expect(journalOf(JSON.parse(JSON.stringify(text)))).toBeNull();
});

describe('whose turn it is', () => {
  const entry = (id: string, wave: number, state: JournalEntry['state']): [string, JournalEntry] => [
    id,
    {
      id,
      name: id,
      before: { status: 'ACTIVE', vmState: 'active', powerState: 1, launchedAtMs: null },
      wave,
      state,
      target: { kind: 'scheduler' },
      otherwise: null,
      perhapsAtTarget: false,
      reboot: null,
      attempts: 0,
      attemptsElsewhere: 0,
      askedAtMs: null,
      endedAtMs: null,
      report: null,
    },
  ];
  const turn = (...entries: [string, JournalEntry][]) =>
    ofTheirTurn({ instances: Object.fromEntries(entries) } as Journal).map(({ id }) => id);

  test.each([
    ['the first wave', [entry('a', 2, 'pending'), entry('b', 1, 'pending')], ['b']],
    ['the next one when it has ended', [entry('a', 2, 'pending'), entry('b', 1, 'ended')], ['a']],
    [
      'what was asked for already is looked after, also when an earlier wave got another instance',
      [entry('a', 2, 'asked'), entry('b', 1, 'pending'), entry('c', 2, 'pending')],
      ['a', 'b'],
    ],
    ['nobody any more', [entry('a', 1, 'ended')], []],
  ] as const)('%s', (_, entries, expected) => {
    expect(turn(...entries)).toEqual(expected);
  });
});
