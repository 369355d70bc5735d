// What keeps all hypervisors at once from being recovered: void scans and standing gates.
import { describe, expect, test } from 'vitest';
import { gatesText, scanTrouble } from '../../../../src/ns4/commands/round-troubles.ts';
import type { ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import { policyOf } from '../../../../src/shared/rules/policy.ts';
import { hypervisor, nowMs, picture } from '../../../support/inventories.ts';

const scan = (change: Partial<ScanResult & { ok: true }> = {}): ScanResult => ({
  ...{ ok: true, outcome: 'seen', targets: {}, controls: {}, tookMs: 1 },
  ...change,
});
const eye = { name: 'ctl1', state: 'sighted' as const, silent: [], heard: [] };

test.each<[string, ScanResult[], RegExp | null]>([
  ['seen', [scan()], null],
  ['failed', [{ ok: false, detail: 'Redis lost the scan' }], /cannot be scanned: Redis lost the scan/],
  ['blind', [scan({ outcome: 'blind' })], /no hypervisor that lives answers/],
  [
    'fewer than must agree',
    [scan({ outcome: 'too-few-vantage-points', vantagePoints: [eye], quorum: 2 })],
    /1 vantage point looked, \[SCAN\] quorum is 2/,
  ],
  ['the second of two is void', [scan(), scan({ outcome: 'blind' })], /no hypervisor/],
])('a scan: %s', (_, scans, expected) => {
  if (expected === null) expect(scanTrouble(scans)).toBeNull();
  else expect(scanTrouble(scans)).toMatch(expected);
});

describe('gates', () => {
  const rules = { fencing: 'none', deadBackoff: 1, cooldownMs: 60_000, heartbeatPeriodMs: 40_000 } as const;
  const standing = (change: Partial<Parameters<typeof gatesText>[0]> = {}) =>
    gatesText({
      picture: picture({ hypervisors: [hypervisor('hv01')] }),
      status: { incidents: [], safeMode: null, cooldown: null },
      ...{ leader: 'ctl1/1', vantagePoints: 2, nowMs },
      policy: policyOf('', { ...rules, disabledHosts: 'leave' }),
      ...change,
    });
  const status = { incidents: [], safeMode: null, cooldown: null };

  test.each<[string, Parameters<typeof standing>[0], string, RegExp[]]>([
    ['none', {}, 'none stands in the way', []],
    [
      'dry mode',
      { policy: policyOf('', { ...rules, deadBackoff: 0, disabledHosts: 'leave' }) },
      'dry-mode',
      [/dead_backoff is 0; what to do: evacuate by hand/],
    ],
    [
      'cooldown',
      { status: { ...status, cooldown: { sinceMs: nowMs - 1_000, untilMs: nowMs + 59_000 } } },
      'cooldown',
      [/within cooldown_period; what to do: ns4 -r/],
    ],
    [
      'safe mode',
      { status: { ...status, safeMode: { sinceMs: 0, why: 'Redis was emptied' } } },
      'state-lost',
      [/accept-empty-state/],
    ],
    ['nobody leads any more', { leader: null }, 'none stands in the way', [/^no monitor leads now: nothing/]],
    ['no ns4', { vantagePoints: 0 }, 'none stands in the way', [/^no ns4 runs now: nothing/]],
    [
      'before the first start',
      { status: null, leader: null, vantagePoints: 0 },
      'none stands in the way; no monitor leads now, and no ns4 runs now',
      [],
    ],
  ])('%s', (_, change, found, warnings) => {
    expect(standing(change)).toEqual({
      found,
      warnings: warnings.map((warning) => expect.stringMatching(warning)),
    });
  });
});
