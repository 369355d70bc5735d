// Whoever was asked for in vain is asked before he is asked for again: what the scan of that moment means.
import { describe, expect, test } from 'vitest';
import type { Proof } from '../../../../../src/ns4/fencing/proof.ts';
import type { Recovery } from '../../../../../src/ns4/recovery/recovery.ts';
import { heardAgain, leaveUnmoved } from '../../../../../src/ns4/recovery/stages/heard-again.ts';
import { DoubtError, SignOfLifeError } from '../../../../../src/ns4/recovery/still-silent.ts';
import type { ScanFinding, ScanResult } from '../../../../../src/shared/documents/jobs/scan.ts';
import { hypervisor, nowMs, picture, server } from '../../../../support/inventories.ts';

const silent: ScanFinding = { state: 'silent', detail: '1 port silent' };
const answers: ScanFinding = { state: 'answers', detail: '192.0.2.7:22 open' };
const seen = (targets: Record<string, ScanFinding>): ScanResult => ({
  ...{ ok: true, outcome: 'seen', controls: {}, tookMs: 1 },
  targets: { hv01: silent, ...targets },
});

/** hv01 is dead, vm1 was asked for; `row`: where Nova has it by now. */
function lab(
  scan: ScanResult,
  { despite = [] as string[], row = 'hv01', proof = null as Proof | null } = {},
) {
  const asked: string[][] = [];
  const vm1 = server('vm1', row, { id: 'vm1' });
  const whole = picture({ hypervisors: [hypervisor('hv01'), hypervisor('hv04')], servers: [vm1] });
  const entry = {
    id: 'vm1',
    name: 'vm1',
    state: 'asking',
    attempts: 1,
    target: { kind: 'host', host: 'hv04' },
  };
  const journal = { dead: 'hv01', instances: { vm1: entry }, proof };
  const recovery = {
    ...{ opened: journal, journal, facts: { picture: whole }, controls: [] },
    ...{ hypervisorPorts: [22], instancePorts: [22] },
    ...{ signal: new AbortController().signal },
    order: { dead: 'hv01', judgedAtMs: nowMs - 60_000, despite },
    tools: {
      clock: { nowMs: () => nowMs },
      ...{ policy: { heartbeatPeriodMs: 40_000 }, storage: null },
      scan: async ({ targets }: { targets: { name: string }[] }) => {
        asked.push(targets.map(({ name }) => name));
        return scan;
      },
    },
  } as unknown as Recovery;
  return { recovery, asked };
}

test.each<[string, ScanResult, string[]]>([
  ['it is silent', seen({ vm1: silent }), []],
  ['it answers', seen({ vm1: answers }), ['vm1']],
])('%s', async (_, scan, heard) => {
  const { recovery, asked } = lab(scan);
  expect((await heardAgain(recovery, ['vm1'])).map(({ name }) => name)).toEqual(heard);
  expect(asked).toEqual([['hv01', 'vm1']]);
});

test('its row says by now that it is on its target: it is asked all the same', async () => {
  const { recovery } = lab(seen({ vm1: answers }), { row: 'hv04' });
  expect(await heardAgain(recovery, ['vm1'])).toEqual([{ id: 'vm1', name: 'vm1', on: answers.detail }]);
});

test('an operator said that they are elsewhere: nobody is asked', async () => {
  const { recovery, asked } = lab(seen({ vm1: answers }), { despite: ['guests-answer'] });
  expect(await heardAgain(recovery, ['vm1'])).toEqual([]);
  expect(asked).toEqual([]);
});

test.each<[string, ScanResult, string]>([
  ['it saw nothing at all', { ...seen({ vm1: silent }), outcome: 'blind' } as ScanResult, 'scanner-blind'],
  [
    'too few vantage points saw it',
    { ...seen({ vm1: silent }), outcome: 'too-few-vantage-points', quorum: 2 } as ScanResult,
    'too-few-vantage-points',
  ],
  ['it broke', { ok: false, detail: 'no sockets' } as ScanResult, 'scan-failed'],
])('a scan that tells nothing is no silence: %s', async (_, scan, name) => {
  const heard = heardAgain(lab(scan).recovery, ['vm1']);
  await expect(heard).rejects.toThrow(DoubtError);
  await expect(heard).rejects.toMatchObject({ refusal: { name } });
});

test('the host itself answers: it lives', async () => {
  const heard = heardAgain(lab(seen({ hv01: answers, vm1: silent })).recovery, ['vm1']);
  await expect(heard).rejects.toThrow(SignOfLifeError);
});

describe('it answers, and nothing was started elsewhere', () => {
  const ceph: Proof = {
    ...{ by: 'ceph', agent: 'ceph', level: 1, atMs: nowMs, addresses: ['10.1.0.1'], output: '', failed: [] },
  };
  test.each<[string, Proof | null]>([
    ['without a proof', null],
    ['and its host is cut off from Ceph only', ceph],
  ])('%s: its host lives', async (_, proof) => {
    const { recovery } = lab(seen({}), { proof });
    const left = leaveUnmoved(recovery, [{ id: 'vm1', name: 'vm1', on: answers.detail }]);
    await expect(left).rejects.toThrow(SignOfLifeError);
  });
});
