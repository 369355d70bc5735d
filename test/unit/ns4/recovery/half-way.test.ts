// D2, D3: a recovery that is half done. What is no more than a doubt does not end it, and what ended short is gone on
// with by hand.
import { describe, expect, test } from 'vitest';
import { giveBack } from '../../../../simulator/world/compute-service.ts';
import { settle } from '../../../../simulator/world/settle.ts';
import type { RecoverData, RecoveryReport } from '../../../../src/shared/documents/jobs/recover.ts';
import { type Device, PretendCrew } from '../../../support/pretend-crew.ts';

const minute = 60_000;

/** The first worker was killed in mid-recovery of hv1 onto s1: something was asked for, and most was not. */
async function halfDone(device: Device | null = null) {
  const crew = new PretendCrew(3, 8);
  await crew.kill('hv1');
  const first = crew.worker('first', undefined, device);
  const order = { ...crew.order('ours', 'hv1', 's1'), proofDemanded: device !== null };
  void crew.recover(first, order);
  await crew.timeline.runUntil(crew.timeline.nowMs + 10 * minute, () => crew.asked.length > 0);
  await crew.timeline.runUntil(crew.timeline.nowMs + 300);
  first.ns4.process.kill();
  await crew.timeline.runUntil(crew.timeline.nowMs + 20_000);
  const second = crew.worker('second', first.redis, device);
  const reports: RecoveryReport[] = [];
  const run = async (given: RecoverData, forMs: number) => {
    reports.length = 0;
    void crew.recover(second, given).then((report) => reports.push(report));
    await crew.timeline.runUntil(crew.timeline.nowMs + forMs, () => reports.length > 0);
    return reports[0];
  };
  const steps = () =>
    crew.said.flatMap(({ by, facts }) =>
      by === 'second' && facts.kind === 'progress' ? [facts.progress] : [],
    );
  const left = () => crew.world.instances.filter(({ host }) => host === 'hv1').length;
  return { crew, order: { ...order, attempt: 2 }, run, reports, steps, left };
}

/** Its agents are silent for so long. */
function silence(crew: PretendCrew, name: string, forMs: number): void {
  const host = crew.world.host(name);
  const turn = (isSilent: boolean) => {
    for (const agent of host.agents) agent.broken = isSilent;
    settle(crew.world, host);
  };
  turn(true);
  crew.timeline.after(forMs, () => turn(false));
}

describe('D2: a target in trouble is waited for', () => {
  test('its silent agent reports again after three minutes: the recovery goes on', async () => {
    const { crew, order, run, steps, reports } = await halfDone();
    silence(crew, 's1', 4 * minute);
    await crew.timeline.runUntil(crew.timeline.nowMs + minute);
    expect(await run(order, minute), 'it waits').toBeUndefined();
    expect(steps()).toContainEqual({
      ...{ step: 'target-awaited', target: 's1', forMs: 600_000 },
      why: 'it has a silent network agent (neutron-openvswitch-agent)',
    });
    await crew.timeline.runUntil(crew.timeline.nowMs + 20 * minute, () => reports.length > 0);
    expect(reports).toMatchObject([{ outcome: 'done', refusal: null }]);
  });

  test('it never does: stopped after ten minutes, with the reason', async () => {
    const { crew, order, run } = await halfDone();
    silence(crew, 's1', 60 * minute);
    await crew.timeline.runUntil(crew.timeline.nowMs + minute);
    const beganMs = crew.timeline.nowMs;
    expect(await run(order, 30 * minute)).toMatchObject({
      outcome: 'stopped',
      refusal: { name: 'spare-unfit', spare: 's1' },
    });
    expect(crew.timeline.nowMs - beganMs).toBeGreaterThan(10 * minute);
    expect(crew.timeline.nowMs - beganMs).toBeLessThan(11 * minute);
  });
});

describe("D2: a report against a device's proof", () => {
  /** Neutron counts a report of the dead host now, as when a queue's backlog is worked off. */
  function lateReport(crew: PretendCrew, inMs = 0): void {
    const [agent] = crew.world.host('hv1').agents;
    if (agent === undefined) throw new Error('no agent');
    agent.lastMs = crew.timeline.nowMs + inMs;
  }

  test('the device says off again: it was late, which is told, and the recovery goes on', async () => {
    const device: Device = { takesMs: 1_000, says: 'off' };
    const { crew, order, run, steps, left } = await halfDone(device);
    lateReport(crew);
    expect(await run(order, 20 * minute)).toMatchObject({ outcome: 'done', refusal: null });
    expect(steps().map(({ step }) => step)).toContain('late-heartbeat');
    expect(left()).toBe(0);
  });

  test.each(['on', 'unknown'] as const)('the device says %s: it came back', async (says) => {
    const device: Device = { takesMs: 1_000, says: 'off' };
    const { crew, order, run } = await halfDone(device);
    device.says = says;
    lateReport(crew);
    expect(await run(order, 20 * minute)).toMatchObject({
      outcome: 'stopped',
      refusal: { name: 'came-back' },
    });
  });

  /** Nobody was killed: the report is counted while the first worker moves the instances. */
  async function inMidMove(says: Device['says'], repeatedForMs = 0, instances = 40) {
    const device: Device = { takesMs: 1_000, says: 'off' };
    const crew = new PretendCrew(3, instances);
    await crew.kill('hv1');
    const reports: RecoveryReport[] = [];
    const order = { ...crew.order('ours', 'hv1', 's1'), proofDemanded: true };
    void crew.recover(crew.worker('first', undefined, device), order).then((r) => reports.push(r));
    await crew.timeline.runUntil(crew.timeline.nowMs + 10 * minute, () => crew.asked.length > 0);
    lateReport(crew, 6_000);
    for (let ms = 6_000; ms <= repeatedForMs; ms += 5_000) crew.timeline.after(ms, () => lateReport(crew));
    device.says = says;
    await crew.timeline.runUntil(crew.timeline.nowMs + 30 * minute, () => reports.length > 0);
    const late = crew.said.filter(
      ({ facts }) => facts.kind === 'progress' && facts.progress.step === 'late-heartbeat',
    );
    return { reports, late };
  }

  test('also while instances move: late, told once, and all are moved', async () => {
    const { reports, late } = await inMidMove('off');
    expect(reports).toMatchObject([{ outcome: 'done', refusal: null }]);
    expect(late).toHaveLength(1);
  });

  test.each(['on', 'unknown'] as const)('also while instances move: the device says %s', async (says) => {
    const { reports, late } = await inMidMove(says);
    expect(reports).toMatchObject([{ outcome: 'stopped', refusal: { name: 'came-back' } }]);
    expect(late).toEqual([]);
  });

  test('reports that go on are no backlog, whatever the device says: it may be that of another machine', async () => {
    const { reports, late } = await inMidMove('off', 120_000, 60);
    expect(reports).toMatchObject([{ outcome: 'stopped', refusal: { name: 'came-back' } }]);
    expect(late.length).toBeGreaterThan(0);
  });

  test('without a device nobody can tell: it came back', async () => {
    const { crew, order, run } = await halfDone();
    lateReport(crew);
    expect(await run(order, 20 * minute)).toMatchObject({ outcome: 'stopped' });
  });
});

describe('D3: what ended short is gone on with by hand', () => {
  test('on the same spare, enabled and partly filled', async () => {
    const { crew, order, run, left } = await halfDone();
    silence(crew, 's1', 60 * minute);
    await crew.timeline.runUntil(crew.timeline.nowMs + minute);
    expect((await run(order, 30 * minute))?.outcome).toBe('stopped');
    expect(left()).toBeGreaterThan(0);
    await crew.timeline.runUntil(crew.timeline.nowMs + 60 * minute);
    expect(crew.world.host('s1').disabled).toBe(false);
    const byHand = { ...crew.order('ours', 'hv1', 's1'), recovery: 'i-hv1.2', byHand: true };
    expect(await run(byHand, 30 * minute)).toMatchObject({ outcome: 'done', refusal: null });
    expect(left()).toBe(0);
  });

  test('not onto a host that no recovery of it went to', async () => {
    const { crew, order, run } = await halfDone();
    await run(order, 30 * minute);
    crew.boot('late', 'hv1');
    giveBack(crew.world, crew.world.host('s2'));
    const byHand = { ...crew.order('ours', 'hv1', 's2'), recovery: 'i-hv1.2', byHand: true };
    expect(await run(byHand, 30 * minute)).toMatchObject({
      outcome: 'refused',
      refusal: { name: 'spare-unfit', why: 'it is enabled, so not set aside as a spare' },
    });
  });
});

describe('what the histories showed', () => {
  test('an instance in ERROR on its target is given up, and not asked for again without end', async () => {
    const { crew, order, run } = await halfDone();
    const [first] = crew.world.instances.filter(({ host }) => host === 'hv1');
    if (first === undefined) throw new Error('nothing is left on hv1');
    // Another evacuation of it, by an operator, was overtaken by ours and wrecked it.
    Object.assign(first, {
      host: 's1',
      node: 's1.example',
      vmState: 'error',
      powerState: 0,
      taskState: null,
    });
    const report = await run(order, 10 * minute);
    expect(report).toMatchObject({ outcome: 'done' });
    expect(report?.instances.find(({ name }) => name === first.name)).toMatchObject({ outcome: 'failed' });
  });

  test('the device that gave an earlier proof is asked before the first request of a further worker', async () => {
    const device: Device = { takesMs: 1_000, says: 'off' };
    const { crew, order, run } = await halfDone(device);
    device.says = 'on';
    const before = crew.asked.length;
    expect(await run(order, 10 * minute)).toMatchObject({
      outcome: 'stopped',
      refusal: { name: 'came-back' },
    });
    expect(crew.asked.length, 'nothing more left').toBe(before);
  });
});
