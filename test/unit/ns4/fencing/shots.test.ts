// C6: what a level that was told `off` before in this incident may do, as a table.
import { expect, test } from 'vitest';
import { again } from '../../../../src/ns4/fencing/shots.ts';

test.each([
  ['taken', true, 'off', 'proof'],
  ['taken', false, 'off', 'proof'],
  ['taken', true, 'on', 'switched-on'],
  ['taken', false, 'on', 'not-again'],
  ['taken', true, 'unknown', 'not-again'],
  ['unknown', false, 'off', 'tell'],
  ['unknown', true, 'on', 'switched-on'],
  ['unknown', false, 'on', 'not-again'],
  ['unknown', false, 'unknown', 'not-again'],
  ['none', false, 'off', 'tell'],
  ['none', false, 'on', 'tell'],
  ['none', false, 'unknown', 'tell'],
  ['none', true, 'on', 'switched-on'],
] as const)('%s, seen off: %s, now %s: %s', (effect, seenOff, power, expected) => {
  expect(again({ effect, seenOff, atMs: 0 }, power, 600_000)).toBe(expected);
});

test.each([
  ['unknown', false, 'on', 'tell'],
  ['unknown', true, 'on', 'switched-on'],
  ['unknown', false, 'unknown', 'not-again'],
  ['taken', false, 'on', 'not-again'],
] as const)('ten minutes later, %s, seen off: %s, now %s: %s', (effect, seenOff, power, expected) => {
  expect(again({ effect, seenOff, atMs: 0 }, power, 600_001)).toBe(expected);
});
