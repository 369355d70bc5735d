// What the neighbour table tells, as `ip -j -s neigh` shows it.
import { expect, test } from 'vitest';
import { confirmedSince, type Entry } from '../../../../src/ns4/scan/neighbours.ts';

const entry = (change: Partial<Entry> = {}): Entry => ({
  ...{ dst: '10.0.0.1', dev: 'eth0', lladdr: '52:54:00:00:00:01', confirmed: 1, state: ['REACHABLE'] },
  ...change,
});
const router = entry({ dst: '10.0.0.254', lladdr: '52:54:00:00:00:fe' });

test.each<[string, Entry[], number, boolean]>([
  ['confirmed since', [entry()], 3_050, true],
  ['confirmed at the beginning', [entry({ confirmed: 3 })], 3_050, true],
  ['confirmed before', [entry({ confirmed: 4 })], 3_050, false],
  ['confirmed before, asked a moment ago', [entry({ confirmed: 1 })], 210, false],
  ['stale', [entry({ state: ['STALE'] })], 3_050, false],
  ['not confirmed yet', [entry({ state: ['DELAY'], confirmed: 1 })], 3_050, false],
  ['asked again without an answer yet', [entry({ state: ['PROBE'] })], 3_050, false],
  ['nobody there', [entry({ state: ['FAILED'], lladdr: undefined })], 3_050, false],
  ['not on the segment', [router], 3_050, false],
  ['the router answers for it', [entry({ lladdr: router.lladdr }), router], 3_050, false],
  ['the same card by IPv6', [entry(), entry({ dst: 'fe80::1' })], 3_050, true],
  ['another address of the same kind', [entry(), entry({ dst: '10.0.0.2' })], 3_050, false],
  ['a kernel that does not tell when', [entry({ confirmed: undefined })], 3_050, false],
])('%s', (_, entries, ageMs, expected) => {
  expect(confirmedSince(entries, ['10.0.0.1'], ageMs)).toEqual(expected ? ['10.0.0.1'] : []);
});
