// A level of several devices, as the two feeds of a host are: off only when all of them say so in one look.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tryLevels } from '../../../../src/ns4/commands/try-out.ts';
import { look, powerOff } from '../../../../src/ns4/fencing/level.ts';
import { seenTogether } from '../../../../src/ns4/fencing/seen-together.ts';
import { systemClock } from '../../../../src/shared/ground/clock.ts';
import { type Behaviour, PretendDevice } from '../../../support/pretend-device.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-feeds-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const signal = new AbortController().signal;
let devices = 0;
function feeds() {
  const [a, b] = [new PretendDevice(join(dir, `${++devices}`)), new PretendDevice(join(dir, `${++devices}`))];
  return { a, b, level: a.level(1, b) };
}
const off = ({ level }: ReturnType<typeof feeds>, change: Partial<Parameters<typeof powerOff>[0]> = {}) =>
  powerOff({ level, timeoutMs: 1_500, signal, clock: systemClock, ...change });

test('both are told, at once and with one permission; both say off', async () => {
  const host = feeds();
  const asked: number[] = [];
  const beforeTelling = async () => void asked.push(host.a.offs + host.b.offs);
  expect(await off(host, { beforeTelling })).toMatchObject({
    off: true,
    output:
      'device 1 of 2, fence_pretend1: off: Success: Powered off; status: Status: OFF; device 2 of 2, fence_pretend1: off: Success: Powered off; status: Status: OFF',
    told: [
      { device: 0, effect: 'taken', seenOff: true },
      { device: 1, effect: 'taken', seenOff: true },
    ],
  });
  expect(asked).toEqual([0]);
  expect([host.a.offs, host.b.offs]).toEqual([1, 1]);
});

test('not permitted: neither is told, and nothing of them is left', async () => {
  const host = feeds();
  const beforeTelling = () => Promise.reject(new Error('it lives'));
  await expect(off(host, { beforeTelling })).rejects.toThrow('it lives');
  expect([host.a.told, host.b.told]).toEqual([[], []]);
});

test.each<[Behaviour, string, RegExp, 'taken' | 'none' | 'unknown', boolean]>([
  ['refuses', 'off-failed', /^device 2 of 2, fence_pretend1: exit code 1: Failed/, 'none', false],
  ['away', 'off-failed', /^device 2 of 2, fence_pretend1: exit code 1: Failed/, 'unknown', false],
  ['pretends', 'not-verified', /^device 2 of 2, fence_pretend1: exit code 0: Status: ON/, 'taken', false],
  ['hides', 'not-verified', /^device 2 of 2, fence_pretend1: exit code 0: Status: ON/, 'taken', false],
  ['hangs', 'timed-out', /^device 2 of 2, fence_pretend1: /, 'none', false],
])('the second one %s: %s, whatever the first says', async (as, failure, detail, effect, seenOff) => {
  const host = feeds();
  host.b.behave(as);
  expect(await off(host)).toMatchObject({
    off: false,
    failure: { agent: 'fence_pretend1 + fence_pretend1', failure, detail: expect.stringMatching(detail) },
    told: [
      { device: 0, effect: 'taken', seenOff: true },
      { device: 1, effect, seenOff },
    ],
  });
});

test('only the second one is told: the first must say off all the same', async () => {
  const host = feeds();
  expect(await off(host, { tell: [1] })).toMatchObject({ off: false, failure: { failure: 'not-verified' } });
  expect([host.a.offs, host.b.offs]).toEqual([0, 1]);
  host.a.power('off');
  expect(await off(host, { tell: [1] })).toMatchObject({ off: true, told: [{ device: 1 }] });
});

test.each([
  ['off', 'off', 'off'],
  ['off', 'on', 'on'],
  ['on', 'off', 'on'],
  ['off', 'away', 'unknown'],
  ['on', 'away', 'on'],
] as const)('a look: one says %s, the other %s: %s', async (one, other, says) => {
  const { a, b, level } = feeds();
  a.power(one);
  if (other === 'away') b.behave('away');
  else b.power(other);
  expect(await look({ level, timeoutMs: 1_500, signal })).toMatchObject({ says });
});

test('nobody was asked: nobody says off', () => {
  expect(seenTogether({ devices: [] }, [])).toMatchObject({ says: 'unknown' });
});

test('by hand: on goes to all of them; each is told by itself', async () => {
  const { a, b, level } = feeds();
  for (const device of [a, b]) device.power('off');
  const printed: string[] = [];
  const run = (action: 'on' | 'status') =>
    tryLevels(
      { host: 'hv01', action },
      {
        plan: { file: 'fencing.yaml', hosts: new Map([['hv01', [level]]]), others: null, secrets: [] },
        ...{ ceph: null, timeoutMs: 2_000, heartbeatPeriodMs: 40_000, clock: systemClock, signal },
        inventory: { read: async () => null },
        recoveries: { isRecovering: async () => false, hold: async () => null },
        doubt: async () => ({ kind: 'none' as const }),
        ask: async () => {},
        print: (line) => printed.push(line),
      },
    );
  expect(await run('on')).toBe(true);
  expect([a.isOn, b.isOn]).toEqual([true, true]);
  b.power('off');
  expect(await run('status')).toBe(true);
  b.behave('away');
  expect(await run('status')).toBe(false);
  expect(printed.slice(1)).toEqual([
    'ok      hv01, level 1, fence_pretend1 + fence_pretend1: device 1 of 2, fence_pretend1: on; device 2 of 2, fence_pretend1: off',
    'FAILED  hv01, level 1, fence_pretend1 + fence_pretend1: device 1 of 2, fence_pretend1: on; device 2 of 2, fence_pretend1: exit code 1: connection timed out',
  ]);
});
