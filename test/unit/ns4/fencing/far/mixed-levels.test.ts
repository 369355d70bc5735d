// Levels of fence devices and the level `ceph` in one list, where the devices are told by another vantage point: those
// go there, Ceph is told by whoever recovers.
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { CephFence } from '../../../../../src/ns4/fencing/ceph-level.ts';
import { devicesOf } from '../../../../../src/ns4/fencing/devices.ts';
import { carryOut, type OwnDevices, tellStatus } from '../../../../../src/ns4/fencing/far/carry-out.ts';
import { farDevices } from '../../../../../src/ns4/fencing/far/far-devices.ts';
import { createFencing } from '../../../../../src/ns4/fencing/fencing.ts';
import type { Level } from '../../../../../src/ns4/fencing/plan.ts';
import type { Shot } from '../../../../../src/ns4/fencing/shots.ts';
import { fenceStatusJob } from '../../../../../src/shared/documents/jobs/fence.ts';
import { instantClock } from '../../../../support/instant-clock.ts';

const silentLog = pino({ level: 'silent' });
const never = new AbortController().signal;
const right = { token: 'ours', assignment: null };
const ceph = (number: number): Level => ({ number, kind: 'ceph', devices: [] });
/** No such program: it fails, and says so. */
const broken = (number: number): Level => ({
  number,
  devices: [{ agent: 'fence_ipmilan', program: '/nowhere/fence_ipmilan', options: {} }],
});
const blocked = { says: 'off', said: '10.2.0.1 blocked' } as const;

/** One that fences by these levels, and one that has it do so; `hasCeph`: whether that one has [CEPH]. */
function stage(levels: readonly Level[], hasCeph = true) {
  const clock = instantClock();
  const plan = { file: 'fencing.yaml', hosts: new Map(), others: () => levels, secrets: [] };
  const taken = { nowMs: clock.nowMs(), assignments: null };
  const orders = { place: async () => clock.nowMs(), take: async () => taken, withdraw: async () => true };
  const own: OwnDevices = { name: 'near', plan: 'p', devices: devicesOf(plan, clock), orders, clock };
  /** What was asked of the other one. */
  const asked: string[] = [];
  const results = new Map<string, unknown>();
  const devices = farDevices({
    queue: {
      add: async (name, id, data) => {
        asked.push(name);
        const done =
          name === 'fence-status'
            ? await tellStatus(data as never, own, never)
            : await carryOut(data as never, own, never);
        // As it goes through Redis.
        results.set(id, JSON.parse(JSON.stringify(done)));
      },
      outcome: async (_, id) => ({ state: 'done', result: results.get(id) }) as never,
      remove: async () => {},
    },
    orders,
    registry: { list: async () => ({ nowMs: 0, names: [], plans: [{ name: 'near', plan: 'p' }] }) },
    clock,
  });
  const cut: string[] = [];
  const fence: CephFence = {
    async cutOff({ host, beforeBlocking }) {
      await beforeBlocking(['10.2.0.1']);
      cut.push(host);
      return { done: true, addresses: ['10.2.0.1'], atMs: clock.nowMs() };
    },
    stillCut: async () => blocked,
  };
  const shots = new Map<string, Shot>();
  const fencing = createFencing({
    ...{ devices, clock, log: silentLog, timeoutMs: 5_000, ceph: hasCeph ? fence : null },
    confirmations: { of: async () => null, useUp: async () => {} },
    shots: {
      last: async (_host, _incident, level, device) => shots.get(`${level}/${device}`) ?? null,
      record: async (_host, _incident, shot) => void shots.set(`${shot.level}/${shot.device}`, shot),
    },
    bystanders: { of: async () => null, keep: async () => {}, forget: async () => {} },
  });
  const request = {
    ...{ host: 'hv01', incident: 'one', instances: [], signal: never, heardAtMs: null, right },
    ...{
      doubtedSinceMs: null,
      noSilence: null,
      beforeOff: async ({ keep }: { keep(): Promise<void> }) => keep(),
    },
  };
  return { own, devices, asked, cut, fencing, request };
}

describe('the level ceph is done by whoever recovers', () => {
  test.each([
    ['alone', [ceph(1)], ['fence-status']],
    ['after a device that fails elsewhere', [broken(1), ceph(2)], ['fence-status', 'fence-off']],
    ['before a device, which is not told then', [ceph(1), broken(2)], ['fence-status']],
  ] as const)('%s', async (_, levels, jobs) => {
    const { fencing, asked, cut, request } = stage(levels);
    const number = levels.findIndex(({ kind }) => kind === 'ceph') + 1;
    expect(await fencing.fence(request)).toMatchObject({
      proven: true,
      proof: { by: 'ceph', agent: 'ceph', level: number, addresses: ['10.2.0.1'] },
    });
    expect(asked).toEqual(jobs);
    expect(cut).toEqual(['hv01']);
  });

  test('without [CEPH] it fails and says why, whatever the one that fences has', async () => {
    const { fencing, cut, request } = stage([ceph(1), broken(2)], false);
    expect(await fencing.fence(request)).toMatchObject({
      proven: false,
      failures: [
        { agent: 'ceph', failure: 'cannot-run', detail: 'this ns4 has no [CEPH]' },
        { agent: 'fence_ipmilan', failure: 'cannot-run' },
      ],
    });
    expect(cut).toEqual([]);
  });

  test('its proof is asked again of Ceph, and of nobody else', async () => {
    const { fencing, asked } = stage([ceph(1)]);
    const kept = { atMs: 0, addresses: ['10.2.0.1'], output: '', failed: [] };
    const proof = { by: 'ceph', agent: 'ceph', level: 1, ...kept } as const;
    expect(await fencing.lookAgain('hv01', proof, never)).toEqual(blocked);
    expect(asked).toEqual([]);
  });
});

describe('the one that fences', () => {
  test('tells of the level, and asks nobody for it', async () => {
    const { own } = stage([broken(1), ceph(2)]);
    const data = { host: 'hv01', level: null, devices: null, timeoutMs: 1_000, requestedAtMs: 0 };
    const told = await tellStatus(data, own, never);
    expect(told).toMatchObject({
      levels: [
        { number: 1, devices: [{ agent: 'fence_ipmilan', power: { says: 'unknown' } }] },
        { number: 2, kind: 'ceph', devices: [] },
      ],
    });
    expect(fenceStatusJob.result.parse(JSON.parse(JSON.stringify(told)))).toMatchObject(told);
  });

  test.each([
    ['no agents', []],
    ['its name', ['ceph']],
  ])('asked to do it, by %s: does not', async (_, agents) => {
    const { own } = stage([ceph(1)]);
    const order = { id: 'x', right, untilMs: Number.POSITIVE_INFINITY };
    const meant = { host: 'hv01', level: 1, agents, plan: 'p', tell: null, timeoutMs: 1_000 };
    for (const of of [order, null])
      expect(await carryOut({ ...meant, order: of, requestedAtMs: 0 }, own, never)).toMatchObject({
        kind: 'not-told',
        why: 'its plan has no such level 1 of hv01',
      });
  });

  test('a look by the level says nothing, rather than that all of no devices are off', async () => {
    const { devices } = stage([ceph(1)]);
    expect(await devices.look('hv01', { number: 1, agent: 'ceph' }, 1_000, never)).toBeNull();
    expect(await devices.look('hv01', { number: 1, agent: '' }, 1_000, never)).toBeNull();
  });
});
