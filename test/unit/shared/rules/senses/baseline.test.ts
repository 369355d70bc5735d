// The baseline as a table: whose silence counts, and since when he must have been heard.
import { expect, test } from 'vitest';
import type { ScanFinding } from '../../../../../src/shared/documents/jobs/scan.ts';
import { heardWithinMs, withBaseline } from '../../../../../src/shared/rules/senses/baseline.ts';

const nowMs = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;
const silent: ScanFinding = { state: 'silent', detail: '3 ports silent' };
const answers: ScanFinding = { state: 'answers', detail: '10.0.0.1:22 open' };
const unknown: ScanFinding = { state: 'unknown', detail: 'EMFILE' };
const never: ScanFinding = { state: 'unknown', neverHeard: true, detail: 'never heard from here' };

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
  expect(withBaseline(finding, { lastHeardMs, heardSinceMs }, nowMs)).toEqual(expected);
});
