// `ns4 --check` about fencing: a device that says off for a host that reports now is not its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CephAsked, fencingChecks } from '../../../../src/ns4/commands/fencing-checks.ts';
import type { Level } from '../../../../src/ns4/fencing/plan.ts';
import { listenedToByMany } from '../../../../src/shared/ground/listened-to.ts';
import type { Check } from '../../../../src/shared/process/check.ts';
import { agent, hypervisor, inventory, nowMs } from '../../../support/inventories.ts';
import { PretendDevice } from '../../../support/pretend-device.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-checks-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let devices = 0;
const device = (power: 'on' | 'off') => {
  const made = new PretendDevice(join(dir, `${++devices}`));
  made.power(power);
  return made;
};

/** What the check of hv01's devices finds, or its error. */
async function found(
  levels: Parameters<typeof plan>[0],
  ageMs: number,
  asked: CephAsked | null = null,
  runningVms = 2,
): Promise<string> {
  const { hosts } = inventory({
    hypervisors: [hypervisor('hv01', { reportedAtMs: nowMs - ageMs, runningVms })],
    agents: [agent('hv01', ageMs)],
  });
  const settings = { mode: 'required', file: 'fencing.yaml', timeoutMs: 5_000 } as const;
  const beats = { heartbeatPeriodMs: 60_000 };
  const entries = fencingChecks(
    settings,
    plan(levels),
    async () => hosts,
    beats,
    new AbortController().signal,
    asked,
  );
  const checks: Check[] = [];
  for (const entry of entries) checks.push(...(typeof entry === 'function' ? await entry() : [entry]));
  const check = checks.find(({ what }) => what === 'fencing of hv01');
  if (check === undefined) return '';
  const result = await check.run().catch((error: Error) => `FAILED ${error.message}`);
  return typeof result === 'string' ? result : result.found;
}

const plan = (levels: readonly Level[]) => ({
  ...{ file: 'fencing.yaml', hosts: new Map([['hv01', levels]]), others: null, secrets: [] },
});

test('on, and heard: well', async () => {
  expect(await found([device('on').level()], 2_000)).toBe('level 1, fence_pretend1: on');
});

test('off, and heard: both are told', async () => {
  expect(await found([device('on').level(1), device('off').level(2)], 2_000)).toMatch(
    /^FAILED level 1, fence_pretend1: on; level 2, fence_pretend2: off; but hv01 is heard \(.+\): a device that says off/,
  );
});

test('off, and silent for long: as it should be', async () => {
  expect(await found([device('off').level()], 600_000)).toBe('level 1, fence_pretend1: off');
});

test('one of two feeds is off: the host runs on the other', async () => {
  expect(await found([device('off').level(1, device('on'))], 2_000)).not.toMatch(/FAILED/);
});

describe('the level ceph', () => {
  const ceph: Level = { number: 1, kind: 'ceph', devices: [] };
  const says = (what: 'on' | 'off' | 'unknown', said: string) => async () => ({ says: what, said });
  const nowhere = says('unknown', 'it is not known from which address hv01 opens disks');

  test.each([
    ['could be done', says('on', '10.2.0.1 is not blocked'), 2, /^level 1, ceph: not cut off \(10.2.0.1/],
    ['no address is known', nowhere, 2, /^FAILED level 1, ceph: nobody could be cut off \(it is not known/],
    ['nor of an empty host', nowhere, 0, /^level 1, ceph: nobody could be cut off/],
    ['Ceph hangs', says('unknown', 'no monitor answers'), 2, /^FAILED .*no monitor answers/],
    ['without [CEPH]', null, 2, /^FAILED .*has no \[CEPH\]/],
    [
      'cut off, and heard',
      says('off', '10.2.0.1 blocked'),
      2,
      /^FAILED .*cut off from Ceph .*but hv01 is heard \(.+\): no instance there can open its disk/,
    ],
  ] as const)('%s', async (_, asked, runningVms, expected) => {
    expect(await found([ceph], 2_000, asked, runningVms)).toMatch(expected);
  });
});

test('of many hosts one line: who is in trouble is named, and each word is told', async () => {
  const names = Array.from({ length: 40 }, (_, i) => `hv${String(i + 1).padStart(2, '0')}`);
  const [on, away] = [device('on'), device('on')];
  away.behave('away');
  const levels = new Map(names.map((host) => [host, [(host < 'hv08' ? away : on).level()]]));
  const { hosts } = inventory({ hypervisors: names.map((host) => hypervisor(host)) });
  const told = new Map<string, readonly { well: boolean }[]>();
  const entries = fencingChecks(
    { mode: 'required', file: 'fencing.yaml', timeoutMs: 20_000 },
    { file: 'fencing.yaml', hosts: levels, others: null, secrets: [] },
    async () => hosts,
    { heartbeatPeriodMs: 60_000 },
    listenedToByMany(new AbortController().signal),
    null,
    (host, words) => told.set(host, words),
  );
  const [many] = entries.filter((entry) => typeof entry === 'function');
  const checks = (await many?.()) ?? [];
  expect(checks.map(({ what }) => what)).toEqual(['fencing of all hosts']);
  await expect(checks[0]?.run()).rejects.toThrow(/^7 of 40 hosts: hv01: level 1, .* and 2 more$/);
  expect(names.filter((host) => told.get(host)?.every(({ well }) => well))).toHaveLength(33);
}, 30_000);
