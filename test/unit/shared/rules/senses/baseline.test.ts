// The baseline as a table: whose silence counts, and since when he must have been heard.
import { expect, test } from 'vitest';
import type { ScanFinding } from '../../../../../src/shared/documents/jobs/scan.ts';
import {
  type HeardAddress,
  heardWithinMs,
  pastOf,
  withBaseline,
} from '../../../../../src/shared/rules/senses/baseline.ts';

const nowMs = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;
const silent: ScanFinding = { state: 'silent', detail: '3 ports silent' };
const answers: ScanFinding = { state: 'answers', detail: '10.0.0.1:22 open' };
const unknown: ScanFinding = { state: 'unknown', detail: 'EMFILE' };
const never: ScanFinding = { state: 'unknown', neverHeard: true, detail: 'never heard from here' };

const answer = (change: Partial<HeardAddress>): HeardAddress => ({
  ...{ atMs: nowMs - hour, of: null, isMute: false },
  ...change,
});

test.each<[string, ScanFinding, number | null, number | undefined, ScanFinding]>([
  ['a host heard an hour ago', silent, nowMs - hour, undefined, silent],
  ['a host heard a day ago', silent, nowMs - heardWithinMs, undefined, silent],
  ['a host heard longer ago', silent, nowMs - heardWithinMs - 1, undefined, never],
  ['a host never heard', silent, null, undefined, never],
  ['a guest heard since its launch', silent, nowMs - hour, nowMs - 2 * hour, silent],
  ['a guest heard weeks ago, launched before', silent, nowMs - 500 * hour, nowMs - 900 * hour, silent],
  ['a guest whose address was heard before its launch', silent, nowMs - 2 * hour, nowMs - hour, never],
  ['a guest heard at its launch', silent, nowMs - hour, nowMs - hour, silent],
  ['a clock that was set back since', silent, nowMs + hour, undefined, silent],
  ['an answer needs no other', answers, null, undefined, answers],
  ["the scanner's own trouble stays that", unknown, null, undefined, unknown],
])('%s', (_, finding, lastHeardMs, heardSinceMs, expected) => {
  const answers = lastHeardMs === null ? [] : [answer({ atMs: lastHeardMs })];
  expect(withBaseline(finding, { name: 'vm1', heardSinceMs }, answers, nowMs)).toEqual(expected);
});

test.each<[string, 'guest' | 'host', Partial<HeardAddress>[], string]>([
  ['an answer of its own', 'guest', [{ of: 'vm1' }], 'heard'],
  ['an answer noted by an older version', 'guest', [{ of: null }], 'heard'],
  ['an answer of the former owner of its address', 'guest', [{ of: 'vm2' }], 'never'],
  ['a host, whose address was an instance once', 'host', [{ of: 'vm2' }], 'heard'],
  ['heard, and mute while its host was well', 'guest', [{ of: 'vm1', isMute: true }], 'gone-mute'],
  ['mute on one of its addresses', 'guest', [{ isMute: true }, { of: 'vm1' }], 'heard'],
  [
    'mute on its own address, heard on that of another one',
    'guest',
    [{ isMute: true }, { of: 'vm2' }],
    'gone-mute',
  ],
  ['mute before its launch', 'guest', [{ atMs: nowMs - 3 * hour, isMute: true }], 'never'],
])('%s', (_, kind, answers, expected) => {
  const target = { name: 'vm1', kind, heardSinceMs: nowMs - 2 * hour };
  expect(pastOf(target, answers.map(answer), nowMs)).toBe(expected);
});

test('one that fell silent while its host was well is told as that', () => {
  const found = withBaseline(silent, { name: 'vm1', kind: 'guest' }, [answer({ isMute: true })], nowMs);
  expect(found).toEqual({
    ...{ state: 'unknown', neverHeard: true, goneMute: true },
    detail: 'did not answer any more while its host was well',
  });
});
