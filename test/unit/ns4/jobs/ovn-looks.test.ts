// OVN's rows by what several looks showed, beside what was known before: the table of the rule.
import { describe, expect, test } from 'vitest';
import type { AgentRecord } from '../../../../src/ns4/cloud/cloud.ts';
import { isSomebodyLate, judgeLooks, type Look } from '../../../../src/ns4/jobs/ovn-looks.ts';
import type { Agent } from '../../../../src/shared/documents/inventory.ts';
import { deletedChassis } from '../../../../src/shared/documents/inventory.ts';
import { nowMs } from '../../../support/inventories.ts';

const lookMs = [0, 2_000, 5_000];

/** Beats as numbers of pings; `-`: not shown, `!`: called dead, `x`: the chassis was deleted. */
type Shown = readonly string[];

/** The stamp of ping `n`: 37 s apart, by the host's own clock. */
const stampOf = (ping: number, skewMs = 0): number => nowMs - 500_000 + ping * 37_000 + skewMs;

function record(host: string, shown: string, binary = 'ovn-controller'): AgentRecord[] {
  if (shown === '-') return [];
  const alive = !/[!x]/.test(shown);
  const skewMs = host === 'hv3' ? 3_600_000 : 0;
  const heartbeatAtMs = stampOf(Number.parseInt(shown, 10), skewMs);
  return [
    {
      id: `${binary} ${host}`,
      host: shown.endsWith('x') ? deletedChassis : host,
      binary,
      heartbeatAtMs,
      alive,
    },
  ];
}

function looksOf(rows: Readonly<Record<string, Shown>>, atMs = nowMs): Look[] {
  const count = Math.max(...Object.values(rows).map((shown) => shown.length));
  return lookMs.slice(0, count).map((ms, i) => ({
    atMs: atMs + ms,
    agents: Object.entries(rows).flatMap(([host, shown]) =>
      host === 'meta'
        ? record('hv1', shown[i] ?? '-', 'neutron-ovn-metadata-agent')
        : record(host, shown[i] ?? '-'),
    ),
  }));
}

const agentsOf = (rows: ReturnType<typeof judgeLooks>): Agent[] =>
  rows.map(({ record: r, state }) => ({ ...r, statedHost: r.host, ovn: state }));

/** What each host says after these refreshes, a minute apart. */
function said(...refreshes: Readonly<Record<string, Shown>>[]) {
  let known: Agent[] = [];
  refreshes.forEach((rows, i) => {
    known = agentsOf(judgeLooks(looksOf(rows, nowMs + i * 60_000), known));
  });
  const hostOf = (id: string) => (id.includes('metadata') ? 'meta' : id.replace('ovn-controller ', ''));
  return Object.fromEntries(known.map((a) => [hostOf(a.id), `${a.ovn?.says}: ${a.ovn?.why}`]));
}

const well = { hv1: ['0', '1'], hv2: ['0', '1'], hv3: ['0', '1'], hv4: ['0', '1'] };
const alive = 'alive: moved';
const missed = 'silent: missed';

describe('what the looks come to', () => {
  test('the first refresh: who moves between the looks lives, of the others nobody can tell', () => {
    expect(said({ ...well, hv2: ['0', '0'] })).toEqual({
      ...{ hv1: alive, hv3: alive, hv4: alive },
      hv2: 'cannot-tell: never-moved',
    });
  });

  test.each<[string, Record<string, Shown>, Record<string, string>]>([
    ['all answer', { hv1: ['1', '2'], hv2: ['1', '2'], hv3: ['1', '2'], hv4: ['1', '2'] }, {}],
    [
      'one missed the ping',
      { hv1: ['1', '1', '1'], hv2: ['1', '2', '2'], hv3: ['1', '2', '2'], hv4: ['1', '2', '2'] },
      { hv1: missed },
    ],
    [
      'the list that pings shows some of the new beats already: compared with the beats before it, nobody missed it',
      { hv1: ['2', '2'], hv2: ['1', '2'], hv3: ['2', '2'], hv4: ['1', '2'] },
      {},
    ],
    [
      'one is late: the look at 5 s shows it',
      { hv1: ['1', '1', '2'], hv2: ['1', '2', '2'], hv3: ['1', '2', '2'], hv4: ['1', '2', '2'] },
      {},
    ],
    [
      'nobody asked: what was said stays',
      { hv1: ['1', '1'], hv2: ['1', '1'], hv3: ['1', '1'], hv4: ['1', '1'] },
      {},
    ],
    [
      'one alone was started anew, which is no ping',
      { hv1: ['2', '2', '2'], hv2: ['1', '1', '1'], hv3: ['1', '1', '1'], hv4: ['1', '1', '1'] },
      {},
    ],
    [
      'two of four die together',
      { hv1: ['1', '1', '1'], hv2: ['1', '1', '1'], hv3: ['1', '2', '2'], hv4: ['1', '2', '2'] },
      { hv1: missed, hv2: missed },
    ],
    [
      'stopped in good order: the row is gone',
      { hv1: ['-', '-'], hv2: ['1', '1'], hv3: ['1', '1'], hv4: ['1', '1'] },
      { hv1: 'silent: vanished' },
    ],
    [
      'stopped in good order: the chassis is deleted',
      { hv1: ['1x', '1x'], hv2: ['1', '1'], hv3: ['1', '1'], hv4: ['1', '1'] },
      { hv1: 'silent: deleted' },
    ],
    [
      'called dead while others live',
      { hv1: ['1!', '1!'], hv2: ['1', '1'], hv3: ['1', '1'], hv4: ['1', '1'] },
      { hv1: 'silent: called-dead' },
    ],
    [
      'all called dead: northd or the southbound database is away, and what was said stays',
      { hv1: ['1!', '1!'], hv2: ['1!', '1!'], hv3: ['1!', '1!'], hv4: ['1!', '1!'] },
      {},
    ],
    [
      'none is shown: that tells of whoever asks',
      { hv1: ['-', '-'], hv2: ['-', '-'], hv3: ['-', '-'], hv4: ['-', '-'] },
      Object.fromEntries(['hv1', 'hv2', 'hv3', 'hv4'].map((hv) => [hv, 'cannot-tell: all-gone'])),
    ],
    [
      'an API worker lags behind',
      { hv1: ['0', '0', '0'], hv2: ['1', '2', '2'], hv3: ['1', '2', '2'], hv4: ['1', '2', '2'] },
      {},
    ],
  ])('%s', (_, rows, others) => {
    expect(said(well, rows)).toEqual({ ...{ hv1: alive, hv2: alive, hv3: alive, hv4: alive }, ...others });
  });

  const one = { hv1: ['1', '1', '1'], hv2: ['1', '2', '2'], hv3: ['1', '2', '2'], hv4: ['1', '2', '2'] };
  test('silence stays while nobody asks, and ends with the next beat', () => {
    const quiet = { hv1: ['1', '1'], hv2: ['2', '2'], hv3: ['2', '2'], hv4: ['2', '2'] };
    expect(said(well, one, quiet).hv1).toBe(missed);
    const again = { hv1: ['1', '3'], hv2: ['2', '3'], hv3: ['2', '3'], hv4: ['2', '3'] };
    expect(said(well, one, quiet, again).hv1).toBe(alive);
  });

  test('one that catches up later says nothing of those who had answered in time', () => {
    const late = { hv1: ['2', '2'], hv2: ['2', '2'], hv3: ['2', '2'], hv4: ['2', '2'] };
    expect(said(well, one, late)).toEqual({ hv1: alive, hv2: alive, hv3: alive, hv4: alive });
  });

  test('one that answers within the last look is ahead of the others, who catch up with no other ping', () => {
    const alone = { hv1: ['1', '1', '2'], hv2: ['1', '1', '1'], hv3: ['1', '1', '1'], hv4: ['1', '1', '1'] };
    const rest = { hv1: ['2', '2'], hv2: ['2', '2'], hv3: ['2', '2'], hv4: ['2', '2'] };
    expect(said(well, alone, rest).hv1).toBe(alive);
    const next = { hv1: ['2', '2'], hv2: ['2', '3'], hv3: ['2', '3'], hv4: ['2', '3'] };
    expect(said(well, alone, rest, next).hv1).toBe('silent: missed');
  });

  test('a clock set back by an hour: it lives while its beats grow from look to look', () => {
    const back = { hv1: ['-96', '-95'], hv2: ['1', '2'], hv3: ['1', '2'], hv4: ['1', '2'] };
    expect(said(well, back).hv1).toBe(alive);
  });

  test('a metadata agent lives when it moves, and says nothing when it does not', () => {
    const seen = { ...well, meta: ['0', '0'] };
    expect(said(seen).meta).toBe('cannot-tell: never-moved');
    const later = { hv1: ['1', '2'], hv2: ['1', '2'], hv3: ['1', '2'], hv4: ['1', '2'], meta: ['1', '1'] };
    expect(said(seen, later).meta).toBe(alive);
    expect(said(seen, later, { ...later, meta: ['1', '1'] }).meta).toBe('cannot-tell: never-moved');
  });
});

test('stamps that follow the request are no beats: of the dead as of the living', () => {
  const stamped = (atMs: number, dead: boolean): Look => ({
    atMs,
    agents: ['hv1', 'hv2'].map((host) => ({
      ...{ id: host, host, binary: 'ovn-controller', heartbeatAtMs: atMs + 90 },
      alive: !(dead && host === 'hv1'),
    })),
  });
  const looks = (dead: boolean) => [stamped(nowMs, dead), stamped(nowMs + 2_100, dead)];
  const first = judgeLooks(looks(false), []);
  expect(first.map(({ state }) => `${state.says}: ${state.why}`)).toEqual([
    'cannot-tell: stamp-is-the-request',
    'cannot-tell: stamp-is-the-request',
  ]);
  const second = judgeLooks(looks(true), agentsOf(first));
  expect(second.map(({ state }) => `${state.says}: ${state.why}`)).toEqual([
    'silent: called-dead',
    'cannot-tell: stamp-is-the-request',
  ]);
  const slow = [stamped(nowMs, false), { ...stamped(nowMs + 6_000, false), atMs: nowMs + 2_100 }];
  expect(
    judgeLooks(slow, agentsOf(first)).map(({ state }) => state.why),
    'once known, also of a slow Neutron',
  ).toEqual(['stamp-is-the-request', 'stamp-is-the-request']);
  expect(judgeLooks(slow, []).map(({ state }) => state.why)).toEqual(['moved', 'moved']);
});

describe('one look more', () => {
  const known = agentsOf(judgeLooks(looksOf(well), []));
  test.each<[string, Record<string, Shown>, boolean]>([
    ['nobody moved', { hv1: ['1', '1'], hv2: ['1', '1'], hv3: ['1', '1'], hv4: ['1', '1'] }, false],
    ['all moved', { hv1: ['1', '2'], hv2: ['1', '2'], hv3: ['1', '2'], hv4: ['1', '2'] }, false],
    ['one has not', { hv1: ['1', '1'], hv2: ['1', '2'], hv3: ['1', '2'], hv4: ['1', '2'] }, true],
  ])('%s: %s', (_, rows, wanted) => {
    expect(isSomebodyLate(looksOf(rows), known)).toBe(wanted);
  });

  test('not for one that missed the ping before as well', () => {
    const missing = {
      hv1: ['1', '1', '1'],
      hv2: ['1', '2', '2'],
      hv3: ['1', '2', '2'],
      hv4: ['1', '2', '2'],
    };
    const later = agentsOf(judgeLooks(looksOf(missing), known));
    const next = { hv1: ['1', '1'], hv2: ['2', '3'], hv3: ['2', '3'], hv4: ['2', '3'] };
    expect(isSomebodyLate(looksOf(next), later)).toBe(false);
  });
});
