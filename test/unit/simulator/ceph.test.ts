// The pretend Ceph, held to what a real one was measured to do.
import { describe, expect, test } from 'vitest';
import { PretendCeph } from '../../../simulator/ceph/ceph.ts';
import { PretendStorage } from '../../../simulator/ceph/storage.ts';
import { change, freeze, powerOff, thaw } from '../../../simulator/world/host-power.ts';
import { startGuest, writersOf } from '../../../simulator/world/physics.ts';
import { Process } from '../../simulation/processes/process.ts';
import { Random } from '../../simulation/random.ts';
import { Timeline } from '../../simulation/timeline.ts';
import { World } from '../../simulation/world/world.ts';

const image = 'vms/server-vm1_disk';
const limits = { timeoutMs: 1_500 };

class Lab {
  readonly timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  readonly world = new World(this.timeline, new Random(7));
  readonly ceph = new PretendCeph(this.world);
  readonly storage = new PretendStorage(
    this.ceph,
    new Process('ns4', this.timeline, { offsetMs: 0, pausedMs: 0, isPausable: false }),
  );

  constructor() {
    const { world, ceph } = this;
    world.onPresence = () => ceph.watches.follow();
    world.isKeptOut = (instance, host) => ceph.isKeptOut(instance, host);
    for (const [i, name] of ['hv1', 'hv2'].entries())
      world.addPlainHost(
        { name, address: `10.0.0.${i + 1}`, zone: 'az1', aggregates: [], vcpus: 16 },
        [],
        10_000,
        false,
      );
    world.addInstance({ name: 'vm1', host: 'hv1', mute: false, vmState: 'active', addresses: [] });
  }

  get vm1() {
    return this.world.instance('vm1');
  }

  get hv1() {
    return this.world.host('hv1');
  }

  pass(ms: number): Promise<void> {
    return this.timeline.runUntil(this.timeline.nowMs + ms);
  }

  /** What came of it, and how long it took. */
  async asked<T>(question: Promise<T>): Promise<{ result: T; tookMs: number }> {
    const sinceMs = this.timeline.nowMs;
    let found: { result: T } | null = null;
    void question.then((result) => {
      found = { result };
    });
    await this.timeline.runUntil(sinceMs + 120_000, () => found !== null);
    if (found === null) throw new Error('no answer in two minutes');
    return { ...(found as { result: T }), tookMs: this.timeline.nowMs - sinceMs };
  }

  async openers() {
    const { result } = await this.asked(this.storage.ask([image], limits));
    const found = result.get(image);
    return found?.kind === 'asked'
      ? found.openers.map(({ address, answered }) => [address, answered])
      : found;
  }
}

describe('openers', () => {
  test('one that runs answers in milliseconds; there is no image of nobody', async () => {
    const lab = new Lab();
    const { result, tookMs } = await lab.asked(lab.storage.ask([image, 'vms/x_disk'], limits));
    expect(result.get(image)).toMatchObject({ kind: 'asked', openers: [{ answered: true }] });
    expect(result.get('vms/x_disk')).toEqual({ kind: 'absent' });
    expect(tookMs).toBeLessThan(50);
  });

  test('one that is frozen is silent, vanishes, and is back some seconds after it thawed', async () => {
    const lab = new Lab();
    freeze(lab.world, lab.hv1);
    expect(await lab.openers()).toEqual([['10.2.0.1', false]]);
    await lab.pass(30_000);
    expect(await lab.openers()).toEqual([]);
    thaw(lab.world, lab.hv1);
    await lab.pass(7_000);
    expect(await lab.openers()).toEqual([['10.2.0.1', true]]);
  });

  test('the lock of one that lost its power outlives it, until a new owner starts', async () => {
    const lab = new Lab();
    powerOff(lab.world, lab.hv1);
    await lab.pass(60_000);
    expect(await lab.openers()).toEqual([]);
    const ownerOf = async () => (await lab.asked(lab.storage.locks([image], limits))).result.get(image);
    expect(await ownerOf()).toMatchObject({ clients: [{ address: '10.2.0.1' }] });
    startGuest(lab.world, lab.vm1, 'hv2');
    expect(await ownerOf()).toMatchObject({ clients: [{ address: '10.2.0.2' }] });
  });

  test.each([
    ['Ceph is away', (lab: Lab) => Object.assign(lab.ceph, { isAway: true })],
    ['the OSD of its header hangs', (lab: Lab) => lab.ceph.blocklist.hang(lab.vm1.number % 3)],
  ])('nobody can tell within its time while %s', async (_, begin) => {
    const lab = new Lab();
    begin(lab);
    const { result, tookMs } = await lab.asked(lab.storage.ask([image], limits));
    expect(result.get(image)).toMatchObject({ kind: 'cannot-tell' });
    expect(tookMs).toBe(limits.timeoutMs);
  });
});

describe('the blocklist', () => {
  test('the barrier makes all of it true, for whoever is cut off too', async () => {
    const lab = new Lab();
    change(lab.world, lab.hv1, () => Object.assign(lab.hv1.cut, { storage: true }));
    expect((await lab.asked(lab.storage.block(['10.2.0.1'], 60, { timeoutMs: 10_000 }))).result.kind).toBe(
      'done',
    );
    expect((await lab.asked(lab.storage.barrier({ timeoutMs: 10_000 }))).result.kind).toBe('passed');
    expect(writersOf(lab.world, lab.vm1)).toEqual([]);
    expect(await lab.openers()).toEqual([]);
    await lab.pass(60_000);
    expect(writersOf(lab.world, lab.vm1)).toEqual(['hv1']);
  });

  test('without a barrier it is known everywhere after four seconds, not at once', async () => {
    const lab = new Lab();
    await lab.asked(lab.storage.block(['10.2.0.1'], 600, { timeoutMs: 10_000 }));
    expect(writersOf(lab.world, lab.vm1)).toEqual(['hv1']);
    await lab.pass(4_000);
    expect(writersOf(lab.world, lab.vm1)).toEqual([]);
  });

  test('an OSD that hangs hears of nothing, and no barrier passes', async () => {
    const lab = new Lab();
    lab.ceph.blocklist.hang(1);
    await lab.asked(lab.storage.block(['10.2.0.1'], 600, { timeoutMs: 10_000 }));
    const { result, tookMs } = await lab.asked(lab.storage.barrier({ timeoutMs: 20_000 }));
    expect(result.kind).toBe('cannot-tell');
    expect(tookMs).toBeLessThanOrEqual(20_000);
    expect(writersOf(lab.world, lab.vm1)).toEqual(['hv1']);
    lab.ceph.blocklist.goOn(1);
    await lab.pass(1_000);
    expect(writersOf(lab.world, lab.vm1)).toEqual([]);
  });

  test('monitors that hang agree on nothing within the time', async () => {
    const lab = new Lab();
    lab.ceph.monitorsHang = true;
    const { result, tookMs } = await lab.asked(lab.storage.block(['10.2.0.1'], 600, { timeoutMs: 10_000 }));
    expect(result.kind).toBe('cannot-tell');
    expect(tookMs).toBe(10_000);
  });
});
