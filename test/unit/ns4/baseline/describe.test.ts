// What `--check` says of the baseline.
import { expect, test } from 'vitest';
import { describeBaseline } from '../../../../src/ns4/baseline/describe.ts';

const nowMs = Date.parse('2026-11-21T12:00:00Z');
const answer = (atMs: number) => ({ atMs, of: null, isMute: false });
const hosts = [
  { host: 'hv01', address: '10.0.0.1' },
  { host: 'hv02', address: '10.0.0.2' },
  { host: 'hv03', address: null },
];

test.each<[string, Record<string, number>, string]>([
  [
    'nobody was heard',
    {},
    '0 of 3 hypervisors were heard from here within a day: a running ns4 of this name asks them within seconds',
  ],
  [
    'one was heard, one too long ago',
    { '10.0.0.1': nowMs - 60_000, '10.0.0.2': nowMs - 90_000_000 },
    '1 of 3 hypervisors were heard from here within a day; WARNING: never judged by their silence: hv02 (10.0.0.2), hv03 (without an address)',
  ],
])('%s', async (_, times, expected) => {
  const heard = {
    lastHeard: async () => new Map(Object.entries(times).map(([address, atMs]) => [address, answer(atMs)])),
  };
  expect(await describeBaseline(heard, hosts, nowMs)).toBe(expected);
});

test('all were heard', async () => {
  const heard = { lastHeard: async () => new Map([['10.0.0.1', answer(nowMs)]]) };
  expect(await describeBaseline(heard, hosts.slice(0, 1), nowMs)).toBe(
    '1 of 1 hypervisors were heard from here within a day',
  );
});
