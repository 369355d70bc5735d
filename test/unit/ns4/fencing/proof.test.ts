// How long a proof stands, and what it makes of signs of life.
import { describe, expect, test } from 'vitest';
import {
  offSinceMs,
  type Proof,
  proofProgress,
  seenOffBy,
  stands,
} from '../../../../src/ns4/fencing/proof.ts';
import { signOfLife } from '../../../../src/ns4/recovery/sign-of-life.ts';
import { progressText } from '../../../../src/shared/documents/events/progress.ts';
import { agent, nowMs } from '../../../support/inventories.ts';

const offAtMs = nowMs - 60_000;
const byAgent: Proof = {
  by: 'agent',
  agent: 'fence_ipmilan',
  level: 2,
  atMs: offAtMs,
  output: 'Status: OFF',
  failed: ['fence_redfish off-failed: no answer'],
};
const byCrashKernel: Proof = {
  ...{ by: 'crash-kernel', agent: 'fence_kdump', level: 1, atMs: offAtMs },
  ...{ output: 'received valid message', failed: [] },
};
const byOperator: Proof = { by: 'operator', who: 'alice', atMs: offAtMs, failed: [] };

const agents = (agent: string): Proof => ({ ...byAgent, agent }) as Proof;

test.each([
  ['no proof', null, 0, false],
  ['an agent saw it off a moment ago', byAgent, 1_000, true],
  ['an agent saw it off ten minutes ago', byAgent, 600_000, true],
  ['an agent saw it off longer ago: it may have been switched on since', byAgent, 600_001, false],
  ['its crash kernel reported two minutes ago', byCrashKernel, 120_000, true],
  ['its crash kernel reported longer ago: it may have booted since', byCrashKernel, 120_001, false],
  ["an operator's word: there is nobody else to ask", byOperator, 3_600_000, true],
  [
    "an operator's word of more than an hour ago: it may have been switched on since",
    byOperator,
    3_600_001,
    false,
  ],
  ['one of a clock that is a little ahead', byAgent, -5_000, true],
  ['one of the future: nobody saw that yet', byAgent, -5_001, false],
  [
    'a word of the future, of which every heartbeat seems to be of before',
    byOperator,
    -94_608_000_000,
    false,
  ],
] as const)('%s', (_, proof, ageMs, expected) => {
  expect(stands(proof, offAtMs + ageMs)).toBe(expected);
});

test.each<[string, Proof | null, string | null]>([
  ['a BMC', byAgent, 'fence_ipmilan, level 2'],
  [
    'two of one level, one of which switches',
    agents('fence_apc + fence_ceph_blocklist'),
    'fence_apc + fence_ceph_',
  ],
  ['an agent that cuts off from Ceph', agents('/usr/local/sbin/fence_ceph_blocklist'), null],
  ['the same by another name', agents('/opt/apc/Cut-off-Ceph.py'), null],
  ['a device in a folder of that name', agents('/opt/ceph/fence_apc'), '/opt/ceph/fence_apc, level 2'],
  ['a crash kernel', byCrashKernel, null],
  ['an operator', byOperator, null],
  ['nobody', null, null],
])('who saw the host without power: %s', (_, proof, by) => {
  const seen = by === null ? null : { atMs: offAtMs, by: expect.stringContaining(by) };
  expect(seenOffBy(proof)).toEqual(seen);
});

test('as progress of the recovery', () => {
  expect(progressText('hv01', proofProgress(byAgent))).toBe(
    'hv01 is powered off (fence_ipmilan, level 2) (before: fence_redfish off-failed: no answer)',
  );
  expect(progressText('hv01', proofProgress(byCrashKernel))).toBe(
    'hv01 crashed: its crash kernel reported (fence_kdump, level 1), so that its guests are dead; it is left to write its dump',
  );
  expect(progressText('hv01', proofProgress(byOperator))).toBe(
    'hv01 is off by the word of alice, 2026-11-21T02:59:00Z',
  );
});

test.each([
  ['before the first change', undefined, null, 'scan-unknown'],
  ['when it was begun: it was silent when it was judged', true, null, null],
  ['when it was proven off', undefined, byAgent, null],
  ['by hand: a person says that it is dead', undefined, null, null, true],
] as const)('a host that was never heard from here, %s', (_, isBegun, proof, expected, byHand?) => {
  const hv01 = { state: 'unknown', neverHeard: true, detail: 'never heard from here' } as const;
  const scan = { ok: true, outcome: 'seen', targets: { hv01 }, controls: {}, tookMs: 1 } as const;
  const judged = { dead: 'hv01', judgedAtMs: nowMs - 20_000, offSinceMs: offSinceMs(proof) };
  const suspect = { ...judged, ...(byHand ? { byHand } : {}) };
  const facts = { agentsOf: () => [], scan, nowMs, ...(isBegun ? { isBegun } : {}) };
  expect(signOfLife(suspect, facts, 40_000)?.name ?? null).toBe(expected);
  const blind = { ...facts, scan: { ...scan, outcome: 'blind' } as const };
  expect(signOfLife(suspect, blind, 40_000)?.name).toBe('scanner-blind');
});

describe('heartbeats around the moment it was off', () => {
  const scan = {
    ok: true,
    outcome: 'seen',
    targets: { hv01: { state: 'silent', detail: 'silent' } },
    controls: {},
    tookMs: 1,
  } as const;
  const judge = (proof: Proof | null, afterOffMs: number) => {
    const heartbeat = agent('hv01', 0, { heartbeatAtMs: offAtMs + afterOffMs });
    const suspect = { dead: 'hv01', judgedAtMs: offAtMs - 20_000, offSinceMs: offSinceMs(proof) };
    return signOfLife(suspect, { agentsOf: () => [heartbeat], scan, nowMs }, 40_000)?.name ?? null;
  };

  test.each([
    ['since it was judged, without proof', null, -1_000, 'came-back'],
    ['since it was judged, but before it was off', byAgent, -1_000, null],
    ['sent before it was off, counted by Neutron a moment later', byAgent, 4_999, null],
    ['after it was off: it is on again', byAgent, 5_000, 'came-back'],
    ['sent before its crash kernel reported, counted a moment later', byCrashKernel, 4_999, null],
    ['after its crash kernel reported: it is up again', byCrashKernel, 5_000, 'came-back'],
    ["before an operator's word", byOperator, -1, null],
    ["after an operator's word", byOperator, 0, 'came-back'],
  ] as const)('%s', (_, proof, afterOffMs, expected) => {
    expect(judge(proof, afterOffMs)).toBe(expected);
  });
});
