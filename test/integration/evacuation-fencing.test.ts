// Proof before recovery, through the real client and handlers: nothing is changed before the dead host is powered off
// and seen off; without proof nothing is changed at all; an operator's word, lost workers, hosts that come back in
// between.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisBystanders } from '../../src/ns4/fencing/bystanders.ts';
import { devicesOf } from '../../src/ns4/fencing/devices.ts';
import { createFencing, type FenceRequest, type Fencing } from '../../src/ns4/fencing/fencing.ts';
import { OperatorConfirmations } from '../../src/ns4/fencing/operator-confirmations.ts';
import type { Level } from '../../src/ns4/fencing/plan.ts';
import { RedisShots, type Shot, type Shots } from '../../src/ns4/fencing/shots.ts';
import type { Journal } from '../../src/ns4/recovery/journal/journal.ts';
import type { Lock } from '../../src/ns4/recovery/journal/lock.ts';
import { progressText } from '../../src/shared/documents/events/progress.ts';
import type { Clock } from '../../src/shared/ground/clock.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import { CrashKernel } from '../support/crash-kernel.ts';
import { EvacuationBench, MovableClock, type Pair } from '../support/evacuation-bench.ts';
import { devicePassword, PretendDevice } from '../support/pretend-device.ts';
import { noKey } from '../support/trust.ts';

let bench: EvacuationBench;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-devices-'));
  bench = await EvacuationBench.open(36);
});
afterAll(async () => {
  await bench.close();
  rmSync(dir, { recursive: true, force: true });
});

const silentLog = createLog({ name: 't', verbosity: 0, destination: new PassThrough().resume() });

let devices = 0;
const device = () => new PretendDevice(join(dir, `device-${++devices}`));
const confirmations = () => new OperatorConfirmations(bench.redis, bench.keys, noKey());

/** Fencing as ns4 makes it, with these levels for every host. */
function fencing(
  levels: readonly Level[],
  clock: Clock = bench.clock,
  shots: Shots = new RedisShots(bench.redis, bench.keys),
): Fencing {
  const plan = { file: 'fencing.yaml', hosts: new Map(), others: () => levels, secrets: [] };
  return createFencing({
    ...{ devices: devicesOf(plan, clock), confirmations: confirmations(), timeoutMs: 1_500 },
    ...{ clock, log: silentLog },
    shots,
    ceph: null,
    bystanders: new RedisBystanders(bench.redis, bench.keys),
  });
}

/** With something done before each `off` is permitted. */
const beforeEachOff = (inner: Fencing, act: (nth: number) => Promise<void> | void): Fencing => {
  let nth = 0;
  return {
    ...inner,
    fence: (request: FenceRequest) =>
      inner.fence({
        ...request,
        beforeOff: async (level) => {
          nth += 1;
          await act(nth);
          await request.beforeOff(level);
        },
      }),
  };
};

async function expectUntouched({ dead, spare, names }: Pair, from: number): Promise<void> {
  const { hosts } = bench.simulator.snapshot();
  expect(bench.changes(from).filter((r) => JSON.stringify(r).includes(dead))).toEqual([]);
  expect(hosts[dead]).toMatchObject({ forcedDown: false, status: 'enabled' });
  expect(hosts[spare]).toMatchObject({ status: 'disabled', disabledReason: expect.stringMatching(/spare/) });
  for (const name of names) expect(bench.seen(name)).toMatchObject({ host: dead, evacuationsStarted: 0 });
}

const expectRecovered = ({ spare, names }: Pair) => {
  for (const name of names)
    expect(bench.seen(name)).toMatchObject({ host: spare, evacuationsStarted: 1, everTwoWriters: false });
};

const fenceFailed = (...failures: string[]) => ({
  outcome: 'refused',
  acted: false,
  refusal: { name: 'fence-failed', levels: failures.map((failure) => ({ failure })) },
});

describe('with proof', () => {
  test('powered off and seen off before the first change; the proof is in the journal', async () => {
    const pair = await bench.pair();
    const bmc = device();
    const from = bench.simulator.requests.length;
    const changedBefore: number[] = [];
    const look = () => void changedBefore.push(bench.changes(from).length);
    const worker = bench.worker({ fencing: beforeEachOff(fencing([bmc.level()]), look) });
    const report = await worker.recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'done', acted: true });
    expect(changedBefore).toEqual([0]);
    // Then it is asked again before requests, and once more at the end.
    const [off, ...looks] = bmc.told.map((t) => t.action);
    expect(off).toBe('off');
    expect(looks.length).toBeGreaterThanOrEqual(2);
    expect(new Set(looks)).toEqual(new Set(['status']));
    expectRecovered(pair);
    const steps = worker.heard.flatMap((f) =>
      f.kind === 'progress' ? [progressText(f.host, f.progress)] : [],
    );
    expect(steps).toEqual([
      `${pair.dead} is being powered off (fence_pretend1, level 1)`,
      `${pair.dead} is powered off (fence_pretend1, level 1)`,
      `${pair.dead} is forced down and disabled`,
      `${pair.spare} is enabled, evacuating 3 instances`,
    ]);
    const journal = await worker.parts.journals.read(report.recovery);
    expect(journal?.proof).toEqual({
      by: 'agent',
      agent: 'fence_pretend1',
      level: 1,
      atMs: expect.any(Number),
      output: 'off: Success: Powered off; status: Status: OFF',
      failed: [],
    });
    expect(JSON.stringify(journal)).not.toContain(devicePassword);
  });

  test('a level that fails is followed by the next one, and told of', async () => {
    const pair = await bench.pair(1);
    const [bmc, pdu] = [device(), device()];
    bmc.behave('pretends');
    const worker = bench.worker({ fencing: fencing([bmc.level(1), pdu.level(2)]) });
    const report = await worker.recover(bench.order(pair));
    expect(report.outcome).toBe('done');
    expect([bmc.offs, pdu.offs]).toEqual([1, 1]);
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({
      level: 2,
      failed: [expect.stringMatching(/^fence_pretend1 not-verified: /)],
    });
  });

  test('a heartbeat that left just before the power went is no sign of life afterwards', async () => {
    const pair = await bench.pair(1);
    const bmc = device();
    // It hangs, and lives for a moment while the device is at it.
    const revive = () => bench.simulator.revive(pair.dead);
    const fence: Fencing = {
      ...fencing([]),
      fence: async (request) => {
        await request.beforeOff({ agent: 'fence_pretend1', number: 1, blocks: null, keep: async () => {} });
        await revive();
        await delay(1_200);
        await bench.simulator.kill(pair.dead);
        return fencing([bmc.level()]).fence({ ...request, beforeOff: async () => {} });
      },
    };
    const report = await bench.worker({ fencing: fence }).recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'done', refusal: null });
    expectRecovered(pair);
  });

  test('what took long is asked again: a spare that was lost meanwhile is not used', async () => {
    const pair = await bench.pair(1);
    const clock = new MovableClock(bench.clock.aheadMs);
    const slow = beforeEachOff(fencing([device().level()], clock), () => {
      clock.aheadMs += 25_000;
      bench.simulator.spare(pair.spare, 'maintenance');
    });
    const order = bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 });
    const report = await bench.worker({ fencing: slow, clock }).recover(order);
    expect(report).toMatchObject({ outcome: 'refused', acted: false });
    expect(report.refusal).toMatchObject({
      name: 'spare-unfit',
      why: expect.stringMatching(/maintenance|spare/),
    });
    expect(bench.simulator.snapshot().hosts[pair.dead]).toMatchObject({ forcedDown: false });
  });
});

describe('alive again after the fence', () => {
  const late = { judgedAtMs: Date.now() + 3_600_000, startByMs: Date.now() + 3_600_000 };

  test('switched on again while the slow device was still at it: asked again, and nothing is changed', async () => {
    const pair = await bench.pair(1);
    const from = bench.simulator.requests.length;
    const clock = new MovableClock(bench.clock.aheadMs);
    const inner = beforeEachOff(fencing([device().level()], clock), () => {
      clock.aheadMs += 25_000;
    });
    const slow: Fencing = {
      ...inner,
      kept: async (...args) => {
        await inner.kept(...args);
        worker.scans.set(pair.dead, { state: 'answers', detail: 'port 22 open' });
      },
    };
    const worker = bench.worker({ fencing: slow, clock });
    const report = await worker.recover(bench.order(pair, late));
    expect(report).toMatchObject({
      outcome: 'refused',
      acted: false,
      refusal: { name: 'came-back', evidence: 'port 22 open' },
    });
    await expectUntouched(pair, from);
    expect(await worker.parts.journals.open(pair.dead)).toBeNull();
  });

  test('a word switches nothing off: who came back meanwhile is left alone in spite of it', async () => {
    const pair = await bench.pair(1);
    const from = bench.simulator.requests.length;
    const clock = new MovableClock(bench.clock.aheadMs);
    const inner = fencing([], clock);
    const slow: Fencing = {
      ...inner,
      fence: async (request) => {
        const outcome = await inner.fence(request);
        expect(outcome).toMatchObject({ proven: true, proof: { by: 'operator' } });
        clock.aheadMs += 6_000;
        worker.scans.set(pair.dead, { state: 'answers', detail: 'port 22 open' });
        return outcome;
      },
    };
    const worker = bench.worker({ fencing: slow, clock });
    await confirmations().record(pair.dead, { who: 'alice', atMs: clock.nowMs() });
    expect(await worker.recover(bench.order(pair, late))).toMatchObject({
      outcome: 'refused',
      refusal: { name: 'came-back', evidence: 'port 22 open' },
    });
    await expectUntouched(pair, from);
  });
});

describe('without proof: nothing is touched', () => {
  test.each([
    ['refuses', 'off-failed'],
    ['pretends', 'not-verified'],
    ['hangs', 'timed-out'],
    ['away', 'off-failed'],
  ] as const)('a device that %s', async (behaviour, failure) => {
    const pair = await bench.pair(2);
    const bmc = device();
    bmc.behave(behaviour);
    const from = bench.simulator.requests.length;
    const worker = bench.worker({ fencing: fencing([bmc.level()]) });
    const order = bench.order(pair);
    const report = await worker.recover(order);
    expect(report).toMatchObject(fenceFailed(failure));
    await expectUntouched(pair, from);
    // Ended and readable, in nobody's way; the same order again finds the same end.
    expect(await worker.parts.journals.open(pair.dead)).toBeNull();
    expect(await worker.recover({ ...order, attempt: 2 })).toMatchObject(fenceFailed(failure));
    expect(bmc.offs).toBe(1);
    // The monitor's next round, and the device works again.
    bmc.behave('honest');
    expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
    expectRecovered(pair);
  });

  test('a host without levels', async () => {
    const pair = await bench.pair(1);
    const from = bench.simulator.requests.length;
    expect(await bench.worker({ fencing: fencing([]) }).recover(bench.order(pair))).toMatchObject(
      fenceFailed(),
    );
    await expectUntouched(pair, from);
  });
});

describe("an operator's word", () => {
  const away = () => {
    const bmc = device();
    bmc.behave('away');
    return bmc;
  };

  test('is proof when no level has any, with who and when, and is used up', async () => {
    const pair = await bench.pair(2);
    const bmc = away();
    const worker = bench.worker({ fencing: fencing([bmc.level()]) });
    await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
    expect(await bench.redis.ttl(bench.keys.fenceConfirmation(pair.dead))).toBeGreaterThan(3_500);
    const report = await worker.recover(bench.order(pair));
    expect(report.outcome).toBe('done');
    expectRecovered(pair);
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({
      by: 'operator',
      who: 'alice',
      failed: [expect.stringMatching(/^fence_pretend1 off-failed/)],
    });
    expect(worker.heard[1]).toMatchObject({ progress: { step: 'confirmed-off', who: 'alice' } });
    expect(await confirmations().of(pair.dead)).toBeNull();
  });

  test('given while the levels are tried: it counts for the attempt that is under way', async () => {
    const pair = await bench.pair(1);
    const bmc = away();
    const pdu = away();
    const worker = bench.worker({
      fencing: beforeEachOff(fencing([bmc.level(1), pdu.level(2)]), async (nth) => {
        if (nth === 2) await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
      }),
    });
    const report = await worker.recover(bench.order(pair));
    expect(report.outcome).toBe('done');
    expectRecovered(pair);
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({
      by: 'operator',
      who: 'alice',
      failed: [expect.stringMatching(/^fence_pretend1 /), expect.stringMatching(/^fence_pretend2 /)],
    });
  });

  test('is not needed where a device has proof, and stays for another time', async () => {
    const pair = await bench.pair(1);
    await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
    const worker = bench.worker({ fencing: fencing([device().level()]) });
    const report = await worker.recover(bench.order(pair));
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({ by: 'agent' });
  });

  test.each([
    ['older than the last heartbeat', -3_600_000],
    ['of a clock that is ahead', 60_000],
  ])('does not count when it is %s', async (_, ageMs) => {
    const pair = await bench.pair(1);
    const from = bench.simulator.requests.length;
    await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() + ageMs });
    const worker = bench.worker({ fencing: fencing([away().level()]) });
    expect(await worker.recover(bench.order(pair))).toMatchObject(fenceFailed('off-failed'));
    await expectUntouched(pair, from);
  });
});

describe('C6: nobody is shot while he boots', () => {
  test('a device that never shows what it does is told once; a newer word of an operator has it told again', async () => {
    const pair = await bench.pair(1);
    const bmc = device();
    bmc.behave('hides');
    const worker = bench.worker({ fencing: fencing([bmc.level()]) });
    const first = bench.order(pair);
    const next = (number: number) => bench.order(pair, { ...first, recovery: `${first.incident}.${number}` });
    expect(await worker.recover(first)).toMatchObject(fenceFailed('not-verified'));
    expect(bmc.isOn).toBe(false);
    bmc.power('on');
    expect(await worker.recover(next(2))).toMatchObject(fenceFailed('not-again'));
    expect(await worker.recover(next(3))).toMatchObject(fenceFailed('not-again'));
    expect(bmc.offs, 'the operator switched it on').toBe(1);
    await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
    expect(await worker.recover(next(4))).toMatchObject({ outcome: 'done' });
    expect(bmc.offs).toBe(2);
    const shots = worker.heard.flatMap((f) =>
      f.kind === 'progress' && f.progress.step === 'powering-off' ? [f.progress.level] : [],
    );
    expect(shots, 'each is told').toEqual([1, 1]);
  });

  const request = (incident: string) => ({
    ...{ host: 'hv-shot', incident, signal: new AbortController().signal, heardAtMs: null },
    ...{ instances: [], doubtedSinceMs: null, noSilence: null },
    right: { token: 'ours', assignment: null },
    beforeOff: async () => {},
  });

  test('seen off and on again: switched on since, and not shot', async () => {
    const bmc = device();
    const { fence } = fencing([bmc.level()]);
    expect(await fence(request('a'))).toMatchObject({ proven: true });
    expect(await fence(request('a')), 'still off: proof without a shot').toMatchObject({ proven: true });
    expect(bmc.offs).toBe(1);
    bmc.power('on');
    expect(await fence(request('a'))).toMatchObject({
      proven: false,
      failures: [{ failure: 'switched-on', detail: expect.stringMatching(/Status: ON/) }],
    });
    expect(bmc.offs).toBe(1);
    expect(await fence(request('b')), 'another death is another matter').toMatchObject({ proven: true });
    expect(bmc.offs).toBe(2);
  });

  test('its power is back, for certain: no further level that was never told shoots it either', async () => {
    const [bmc, pdu] = [device(), device()];
    const { fence } = fencing([bmc.level(1), pdu.level(2)]);
    expect(await fence(request('f'))).toMatchObject({ proven: true });
    bmc.power('on');
    expect(await fence(request('f'))).toMatchObject({ failures: [{ failure: 'switched-on' }] });
    expect([bmc.offs, pdu.offs]).toEqual([1, 0]);
  });

  test('two feeds: only the one that did nothing is told again; on since at either, and neither is', async () => {
    const [a, b] = [device(), device()];
    const { fence } = fencing([a.level(1, b)]);
    b.behave('refuses');
    expect(await fence(request('g'))).toMatchObject({ failures: [{ failure: 'off-failed' }] });
    b.behave('honest');
    expect(await fence(request('g'))).toMatchObject({ proven: true });
    expect([a.offs, b.offs]).toEqual([1, 2]);
    expect(await fence(request('g')), 'still off').toMatchObject({ proven: true });
    expect([a.offs, b.offs]).toEqual([1, 2]);
    for (const on of [a, b]) {
      on.power('on');
      expect(await fence(request('g'))).toMatchObject({
        failures: [{ failure: 'switched-on', detail: expect.stringMatching(/^device \d of 2/) }],
      });
      on.power('off');
    }
    expect([a.offs, b.offs]).toEqual([1, 2]);
  });

  test('two feeds: each off is told of before it leaves, both in one sentence; one on half-way ends it', async () => {
    const pair = await bench.pair(1);
    const [a, b] = [device(), device()];
    const toldBefore: number[] = [];
    const inner = beforeEachOff(fencing([a.level(1, b)]), () => void toldBefore.push(a.offs + b.offs));
    const worker = bench.worker({
      fencing: {
        ...inner,
        // The second feed is switched on as soon as the proof is there.
        kept: async () => b.power('on'),
      },
    });
    const report = await worker.recover(bench.order(pair));
    expect(toldBefore).toEqual([0]);
    expect(worker.heard).toContainEqual(
      expect.objectContaining({
        kind: 'progress',
        progress: expect.objectContaining({
          ...{ step: 'powering-off', agent: 'fence_pretend1 + fence_pretend1', level: 1 },
        }),
      }),
    );
    expect(report).toMatchObject({
      outcome: 'stopped',
      refusal: {
        name: 'came-back',
        evidence: expect.stringMatching(/which proved it off, says that it is on/),
      },
    });
    for (const name of pair.names) expect(bench.seen(name)).toMatchObject({ everTwoWriters: false });
  });

  test('a device that was away: off when it is back is told again, on is not', async () => {
    const bmc = device();
    bmc.behave('away');
    const { fence } = fencing([bmc.level()]);
    expect(await fence(request('c'))).toMatchObject({ failures: [{ failure: 'off-failed' }] });
    bmc.behave('honest');
    expect(await fence(request('c'))).toMatchObject({ failures: [{ failure: 'not-again' }] });
    bmc.power('off');
    expect(await fence(request('c'))).toMatchObject({ proven: true });
    expect(bmc.offs).toBe(2);
  });

  test('a device that did nothing, as the host showed on right afterwards, is told again', async () => {
    const bmc = device();
    bmc.behave('refuses');
    const { fence } = fencing([bmc.level()]);
    expect(await fence(request('e'))).toMatchObject({ failures: [{ failure: 'off-failed' }] });
    bmc.behave('honest');
    expect(await fence(request('e'))).toMatchObject({ proven: true });
  });

  test('off at a later look, then on: switched on since, whatever became of the shot', async () => {
    const bmc = device();
    bmc.behave('refuses');
    bmc.power('off');
    const { fence } = fencing([bmc.level()]);
    expect(await fence(request('d'))).toMatchObject({ failures: [{ failure: 'off-failed' }] });
    expect(await fence(request('d'))).toMatchObject({ failures: [{ failure: 'off-failed' }] });
    bmc.power('on');
    expect(await fence(request('d'))).toMatchObject({ failures: [{ failure: 'switched-on' }] });
  });
});

describe('another ns4 has another plan of fencing', () => {
  const two = [
    { plan: 'aaaa', of: ['ctl1'] },
    { plan: 'bbbb', of: ['ctl2'] },
  ];
  const differ = { name: 'fencing-plans-differ', plans: two };

  test('from the beginning: nobody is shot, nothing is changed', async () => {
    const pair = await bench.pair(1);
    const bmc = device();
    const from = bench.simulator.requests.length;
    await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
    const worker = bench.worker({ fencing: fencing([bmc.level()]), fencingPlans: () => two });
    const report = await worker.recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'refused', acted: false, refusal: differ });
    expect(bmc.told).toEqual([]);
    await expectUntouched(pair, from);
  });

  test('since the first level was tried: the second one is not', async () => {
    const pair = await bench.pair(1);
    const [bmc, pdu] = [device(), device()];
    bmc.behave('refuses');
    const from = bench.simulator.requests.length;
    const worker = bench.worker({
      fencing: fencing([bmc.level(1), pdu.level(2)]),
      fencingPlans: () => (bmc.offs === 0 ? two.slice(0, 1) : two),
    });
    const report = await worker.recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'refused', acted: false, refusal: differ });
    expect([bmc.offs, pdu.offs]).toEqual([1, 0]);
    await expectUntouched(pair, from);
  });

  test('nobody asks for proof: no matter', async () => {
    const pair = await bench.pair(1);
    const worker = bench.worker({ fencingPlans: () => two });
    expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
  });
});

describe('its crash kernel reports', () => {
  const crashing = async () => {
    const kernel = await CrashKernel.at(join(dir, `crash-${++devices}`));
    const bmc = device();
    return { kernel, bmc, levels: [kernel.level(), bmc.level(2)] };
  };

  test('that is the proof, with its silence; it is left to write its dump', async () => {
    const pair = await bench.pair(2);
    const { kernel, bmc, levels } = await crashing();
    kernel.report();
    const worker = bench.worker({ fencing: fencing(levels) });
    const report = await worker.recover(bench.order(pair));
    kernel.close();
    expect(report).toMatchObject({ outcome: 'done', acted: true });
    expect(bmc.told, 'neither shot nor asked').toEqual([]);
    expectRecovered(pair);
    const steps = worker.heard.flatMap((f) =>
      f.kind === 'progress' ? [progressText(f.host, f.progress)] : [],
    );
    expect(steps.slice(0, 2)).toEqual([
      `${pair.dead} crashed: its crash kernel reported (fence_kdump, level 1), so that its guests are dead; it is left to write its dump`,
      `${pair.dead} is forced down and disabled`,
    ]);
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({
      by: 'crash-kernel',
      output: "[debug]: received valid message from '127.0.0.1'",
    });
  });

  test('no message: the next level is shot, and it is told', async () => {
    const pair = await bench.pair(1);
    const { kernel, bmc, levels } = await crashing();
    const worker = bench.worker({ fencing: fencing(levels) });
    const report = await worker.recover(bench.order(pair));
    kernel.close();
    expect(report).toMatchObject({ outcome: 'done' });
    expect(bmc.offs).toBe(1);
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({
      ...{ by: 'agent', level: 2 },
      failed: [expect.stringMatching(/^fence_kdump no-message: exit code 1/)],
    });
  });

  test('a message in the name of one that answers: no proof, nobody is shot and nothing moved', async () => {
    const pair = await bench.pair(1);
    const { kernel, bmc, levels } = await crashing();
    const from = bench.simulator.requests.length;
    kernel.report();
    const inner = fencing(levels);
    const worker = bench.worker({
      fencing: {
        ...inner,
        fence: async (request) => {
          const outcome = await inner.fence(request);
          worker.scans.set(pair.dead, { state: 'answers', detail: 'port 22 open' });
          return outcome;
        },
      },
    });
    expect(await worker.recover(bench.order(pair))).toMatchObject({
      ...{ outcome: 'refused', acted: false, refusal: { name: 'came-back', evidence: 'port 22 open' } },
    });
    kernel.close();
    expect(bmc.told).toEqual([]);
    await expectUntouched(pair, from);
  });

  test('a message in the name of one that never answered a scan: it proves nothing, and nobody listens', async () => {
    const pair = await bench.pair(1);
    const { kernel, bmc, levels } = await crashing();
    kernel.report();
    const worker = bench.worker({ fencing: fencing(levels) });
    worker.scans.set(pair.dead, { state: 'unknown', neverHeard: true, detail: 'never heard from here' });
    const report = await worker.recover(bench.order(pair, { judgedByGuests: true }));
    kernel.close();
    expect(report).toMatchObject({ outcome: 'done' });
    expect(bmc.offs).toBe(1);
    expect((await worker.parts.journals.read(report.recovery))?.proof).toMatchObject({
      ...{ by: 'agent', level: 2 },
      failed: ['fence_kdump no-silence: never heard from here'],
    });
  });
});

describe('interrupted', () => {
  class Crash extends Error {}

  /** Ends the worker right after its first write of a journal that says so. */
  const crashAfter =
    (is: (journal: Journal) => boolean) =>
    (real: Lock): Lock => {
      let lost = false;
      return {
        get lost() {
          return real.lost;
        },
        save: async (journal: Journal) => {
          if (lost) throw new Crash('lost already');
          await real.save(journal);
          lost = is(journal);
          if (lost) throw new Crash('lost');
        },
        end: (journal: Journal) => real.end(journal),
        release: () => real.release(),
      } as unknown as Lock;
    };

  test('lost between the proof and the first change: the next worker skips the fence', async () => {
    const pair = await bench.pair();
    const bmc = device();
    const order = bench.order(pair);
    const wrap = crashAfter((journal) => journal.proof !== null);
    const first = bench.worker({ fencing: fencing([bmc.level()]), wrap });
    await expect(first.recover(order)).rejects.toBeInstanceOf(Crash);
    expect(bmc.offs).toBe(1);
    const second = bench.worker({ fencing: fencing([bmc.level()]) });
    expect(await second.recover({ ...order, attempt: 2 })).toMatchObject({ outcome: 'done' });
    expect(bmc.offs).toBe(1);
    expectRecovered(pair);
  });

  test('lost before the proof is written: the next worker fences again', async () => {
    const pair = await bench.pair();
    const bmc = device();
    const order = bench.order(pair);
    let writes = 0;
    const first = bench.worker({
      fencing: fencing([bmc.level()]),
      wrap: crashAfter(() => ++writes === 2),
    });
    await expect(first.recover(order)).rejects.toBeInstanceOf(Crash);
    expect(bmc.offs).toBe(0);
    const second = bench.worker({ fencing: fencing([bmc.level()]) });
    expect(await second.recover({ ...order, attempt: 2 })).toMatchObject({ outcome: 'done' });
    expect(bmc.offs).toBe(1);
  });

  test('whoever lost the lock powers nothing off', async () => {
    const pair = await bench.pair(1);
    const bmc = device();
    const from = bench.simulator.requests.length;
    const lose = () => bench.redis.set(bench.keys.lock(pair.dead), 'somebody else', 'PX', 5_000);
    const worker = bench.worker({
      fencing: beforeEachOff(fencing([bmc.level()]), async () => void (await lose())),
    });
    expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'superseded', acted: false });
    expect(bmc.told).toEqual([]);
    await expectUntouched(pair, from);
  });

  test('a machine that is paused, with both clocks, as its shot is written down, does not shoot when it goes on', async () => {
    const pair = await bench.pair(1);
    const bmc = device();
    const from = bench.simulator.requests.length;
    const real = new RedisShots(bench.redis, bench.keys);
    const shots: Shots = {
      last: (...about) => real.last(...about),
      record: async (host: string, incident: string, shot: Shot) => {
        await real.record(host, incident, shot);
        // Meanwhile the lock ran out, and somebody else has it.
        await bench.redis.set(bench.keys.lock(pair.dead), 'somebody else', 'PX', 5_000);
      },
    };
    const worker = bench.worker({ fencing: fencing([bmc.level()], bench.clock, shots) });
    expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'superseded', acted: false });
    expect(bmc.told).toEqual([]);
    await expectUntouched(pair, from);
  });

  test('told to stop while a device hangs: handed back within seconds', async () => {
    const pair = await bench.pair(1);
    const bmc = device();
    bmc.behave('hangs');
    const stop = new AbortController();
    const worker = bench.worker({ fencing: fencing([bmc.level()]) });
    const running = worker.recover(bench.order(pair), stop.signal);
    while (bmc.offs === 0) await delay(20);
    const stoppedAtMs = Date.now();
    stop.abort(new Error('stopped'));
    expect(await running).toMatchObject({ outcome: 'handed-back', acted: false });
    expect(Date.now() - stoppedAtMs).toBeLessThan(3_000);
  });

  test.each([1, 2])(
    'it comes back before level %i: its recovery stops, that level is not tried',
    async (at) => {
      const pair = await bench.pair(1);
      const [bmc, pdu] = [device(), device()];
      bmc.behave('refuses');
      const from = bench.simulator.requests.length;
      const clock = new MovableClock(bench.clock.aheadMs);
      const worker = bench.worker({
        clock,
        fencing: beforeEachOff(fencing([bmc.level(1), pdu.level(2)], clock), (nth) => {
          if (nth !== at) return;
          clock.aheadMs += 6_000;
          worker.scans.set(pair.dead, { state: 'answers', detail: 'port 22 open' });
        }),
      });
      expect(await worker.recover(bench.order(pair, { judgedAtMs: Date.now() + 60_000 }))).toMatchObject({
        outcome: 'refused',
        acted: false,
        refusal: { name: 'came-back', evidence: 'port 22 open' },
      });
      expect([bmc.offs, pdu.offs]).toEqual([at - 1, 0]);
      await expectUntouched(pair, from);
      expect(await worker.parts.journals.open(pair.dead)).toBeNull();
    },
  );
});

test('an operator sets the host aside between the facts and the shot: nobody is shot, nothing is changed', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  const from = bench.simulator.requests.length;
  const fences = beforeEachOff(fencing([bmc.level()]), () =>
    bench.simulator.spare(pair.dead, 'maintenance: firmware'),
  );
  const report = await bench.worker({ fencing: fences }).recover(bench.order(pair));
  expect(report).toMatchObject({
    ...{ outcome: 'refused', acted: false },
    refusal: { name: 'operator-at-work', host: pair.dead, reason: 'maintenance: firmware' },
  });
  expect(bmc.offs).toBe(0);
  expect(bench.changes(from).filter((r) => JSON.stringify(r).includes(pair.dead))).toEqual([]);
});

test('the monitor counts on proof, and this ns4 is set up for none: nothing is touched', async () => {
  const pair = await bench.pair(1);
  const from = bench.simulator.requests.length;
  const worker = bench.worker();
  const report = await worker.recover(bench.order(pair, { proofDemanded: true }));
  expect(report).toMatchObject(fenceFailed('cannot-run'));
  await expectUntouched(pair, from);
});

test('none: nobody is fenced, as ever', async () => {
  const pair = await bench.pair(1);
  const worker = bench.worker();
  const report = await worker.recover(bench.order(pair));
  expect(report.outcome).toBe('done');
  expect((await worker.parts.journals.read(report.recovery))?.proof).toBeNull();
});
