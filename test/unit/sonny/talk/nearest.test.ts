// Names that somebody may have meant.
import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../../../src/sonny/talk/nearest.ts';

const names = ['hv01.example.org', 'hv02.example.org', 'web-frontend', 'web-backend', 'db1'];

describe('nearestNames', () => {
  it.each([
    ['hv01', ['hv01.example.org']],
    ['hv', ['hv01.example.org', 'hv02.example.org']],
    ['HV1.EXAMPLE.ORG', ['hv01.example.org', 'hv02.example.org']],
    ['web-fronted', ['web-frontend']],
    ['db2', ['db1']],
    ['x', []],
    ['something-else-entirely', []],
  ])('%s', (asked, expected) => {
    expect(nearestNames(asked, names)).toEqual(expected);
  });

  it('names at most three, each once', () => {
    expect(nearestNames('vm', ['vm1', 'vm2', 'vm2', 'vm3', 'vm4'])).toEqual(['vm1', 'vm2', 'vm3']);
  });

  it('takes no seconds for many long names', () => {
    const many = Array.from({ length: 50_000 }, (_, i) => `${'n'.repeat(245)}${i}`);
    const startMs = performance.now();
    nearestNames('m'.repeat(255), many);
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });
});
