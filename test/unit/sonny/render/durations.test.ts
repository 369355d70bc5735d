// Durations as people read them.
import { describe, expect, it } from 'vitest';
import { durationText } from '../../../../src/sonny/render/durations.ts';

describe('a duration', () => {
  it.each([
    [-5_000, '0 seconds'],
    [1_000, '1 second'],
    [119_000, '119 seconds'],
    [120_000, '2 minutes'],
    [25 * 60_000, '25 minutes'],
    [2 * 3_600_000, '2 hours'],
    [3 * 86_400_000, '3 days'],
  ])('%i ms: %s', (ms, expected) => {
    expect(durationText(ms)).toBe(expected);
  });
});
