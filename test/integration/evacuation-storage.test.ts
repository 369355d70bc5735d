// Recoveries where Ceph has the disks: asked with every sight of the host, cut off before anything moves, and each
// instance once more right before it is started elsewhere.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CutOffResult } from '../../src/ns4/disks/cut-off.ts';
import type { MayMove } from '../../src/ns4/disks/disks.ts';
import { type Confirmation, OperatorConfirmations } from '../../src/ns4/fencing/operator-confirmations.ts';
import { byDatabase } from '../../src/ns4/recovery/movers/database/by-database.ts';
import { byApi } from '../../src/ns4/recovery/movers/nova/by-api.ts';
import type { RecoveryStorage } from '../../src/ns4/recovery/recovery.ts';
import { disksName } from '../../src/shared/rules/disks.ts';
import { EvacuationBench, MovableClock, nobodysWord, PretendDatabase } from '../support/evacuation-bench.ts';
import { noKey } from '../support/trust.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(30);
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.clearFaults());

const done = (atMs: number): CutOffResult => ({ done: true, addresses: ['10.2.0.1'], atMs });
const undone: CutOffResult = { done: false, why: 'osd.1 hangs' };

/** Ceph as these tests want it, with what was asked of it. */
function ceph(change: Partial<RecoveryStorage> = {}) {
  const asked: string[] = [];
  const storage: RecoveryStorage = {
    async mayMove({ id }) {
      asked.push(`may ${id} move`);
      return { kind: 'closed' };
    },
    async cutOff({ host, instances, beforeBlocking }) {
      await beforeBlocking(['10.2.0.1']);
      asked.push(`cut off ${host} from ${instances.length} instances`);
      return done(bench.clock.nowMs());
    },
    whereOpen: async () => null,
    word: nobodysWord,
    ...change,
  };
  return { storage, asked };
}
const progressOf = (worker: ReturnType<EvacuationBench['worker']>) =>
  worker.heard.flatMap((facts) => (facts.kind === 'progress' ? [facts.progress.step] : []));

describe('cut off before anything moves', () => {
  test('in any mode: permitted, told, and before the service is forced down', async () => {
    const pair = await bench.pair(2);
    const { storage, asked } = ceph();
    const worker = bench.worker({ storage });
    const report = await worker.recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'done', acted: true });
    expect(asked[0]).toBe(`cut off ${pair.dead} from 2 instances`);
    expect(asked).toHaveLength(3);
    const steps = progressOf(worker);
    expect(steps.slice(0, 3)).toEqual(['cutting-off', 'cut-off', 'forced-down']);
  });

  test('it fails, and nothing proves the host off: nothing is changed', async () => {
    const pair = await bench.pair(1);
    const { storage } = ceph({ cutOff: async () => undone });
    const report = await bench.worker({ storage }).recover(bench.order(pair));
    expect(report).toMatchObject({
      ...{ outcome: 'refused', acted: false },
      refusal: { name: 'not-cut-off', host: pair.dead, detail: 'osd.1 hangs' },
    });
    expect(bench.simulator.snapshot().hosts[pair.dead]).toMatchObject({ forcedDown: false });
  });

  test('the monitor counts on it, and this ns4 has no [CEPH]: nothing is changed', async () => {
    const pair = await bench.pair(1);
    const report = await bench.worker().recover(bench.order(pair, { cutOffDemanded: true }));
    expect(report).toMatchObject({
      ...{ outcome: 'refused', acted: false },
      refusal: { name: 'not-cut-off', host: pair.dead, detail: expect.stringContaining('[CEPH]') },
    });
    expect(bench.simulator.snapshot().hosts[pair.dead]).toMatchObject({ forcedDown: false });
  });

  test('it fails, and an operator gives his word: that is the proof of this recovery, and of no other one', async () => {
    const pair = await bench.pair(1);
    const confirmations = new OperatorConfirmations(bench.redis, bench.keys, noKey());
    await confirmations.record(pair.dead, { who: 'anna', atMs: bench.clock.nowMs() });
    const proven: unknown[] = [];
    const { storage } = ceph({
      cutOff: async ({ isProven }) => {
        proven.push(isProven);
        return undone;
      },
      word: { of: (host) => confirmations.of(host), useUp: (host) => confirmations.useUp(host) },
    });
    const worker = bench.worker({ storage });
    expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
    // Once more with the word: what is blocked then makes a wrong one harmless.
    expect(proven).toEqual([false, true]);
    expect(progressOf(worker).slice(0, 2)).toEqual(['confirmed-off', 'not-cut-off']);
    expect(await confirmations.of(pair.dead)).toBeNull();
  });

  test('it fails, and a worker is lost after it took the word: the next one finds it in the journal', async () => {
    const pair = await bench.pair(1);
    let word: Confirmation | null = { who: 'anna', atMs: bench.clock.nowMs() };
    const { storage } = ceph({
      cutOff: async () => undone,
      word: {
        of: async () => word,
        useUp: async () => {
          word = null;
        },
      },
    });
    await stoppedAfterCutOff(storage, bench.order(pair));
    expect(word).toBeNull();
    expect(await bench.worker({ storage }).recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
  });
});

describe('its disks are open', () => {
  test('before the first change: refused, and nobody is cut off', async () => {
    const pair = await bench.pair(1);
    const { storage, asked } = ceph();
    const worker = bench.worker({ storage });
    worker.scans.set(disksName(pair.dead), { state: 'answers', detail: 'open by 10.2.0.1' });
    const report = await worker.recover(bench.order(pair));
    expect(report).toMatchObject({
      outcome: 'refused',
      refusal: { name: 'disks-open', on: 'open by 10.2.0.1' },
    });
    expect(asked).toEqual([]);
  });

  test('Ceph does not say: refused', async () => {
    const pair = await bench.pair(1);
    const worker = bench.worker({ storage: ceph().storage });
    worker.scans.set(disksName(pair.dead), { state: 'unknown', detail: 'no monitor answers' });
    expect(await worker.recover(bench.order(pair))).toMatchObject({
      ...{ outcome: 'refused', refusal: { name: 'disks-unknown', detail: 'no monitor answers' } },
    });
  });

  const movers = [
    ['api', () => byApi],
    ['database', () => byDatabase(new PretendDatabase(() => bench.simulator))],
  ] as const;

  test.each(movers)('right before its request (%s): stopped, nothing was started', async (_, mover) => {
    const pair = await bench.pair(1);
    const { storage } = ceph({ mayMove: async () => ({ kind: 'open', on: '10.2.0.9', isOwn: false }) });
    const report = await bench.worker({ storage, mover: mover() }).recover(bench.order(pair));
    expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'disks-open' } });
    const [name = ''] = pair.names;
    expect(bench.seen(name)).toMatchObject({ evacuationsStarted: 0, everTwoWriters: false });
    expect(bench.seen(name).runningOn).not.toContain(pair.spare);
  });

  test('one is open on another hypervisor: it is left alone, the others move', async () => {
    const pair = await bench.pair({ here: {}, there: {} });
    const there = bench.seen(`${pair.dead}-there`).id;
    const elsewhere: MayMove = { kind: 'elsewhere', hosts: ['hv77'] };
    const { storage } = ceph({ mayMove: async ({ id }) => (id === there ? elsewhere : { kind: 'closed' }) });
    const report = await bench.worker({ storage }).recover(bench.order(pair));
    expect(report.instances.map(({ name, outcome, why }) => [name, outcome, why])).toEqual([
      [`${pair.dead}-here`, 'recovered', null],
      [`${pair.dead}-there`, 'skipped', 'its disks are open at hv77, so it runs there'],
    ]);
  });

  test('the database method: one whose disks are open on a third host is not rebooted, and named', async () => {
    const pair = await bench.pair(1);
    const [name = ''] = pair.names;
    const { storage } = ceph({ mayMove: async () => ({ kind: 'elsewhere', hosts: ['hv77'] }) });
    const mover = byDatabase(new PretendDatabase(() => bench.simulator));
    const report = await bench.worker({ storage, mover }).recover(bench.order(pair));
    expect(report.instances).toMatchObject([
      { name, outcome: 'skipped', why: 'its disks are open at hv77, so it runs there' },
    ]);
    expect(bench.seen(name).runningOn).not.toContain(pair.spare);
  });

  test.each<[string, boolean, object]>([
    [
      'an address nobody knows: that one ends, as it may run on the spare',
      false,
      {
        outcome: 'done',
        instances: [
          {
            outcome: 'unfinished',
            why: expect.stringMatching(/^its disks are open at 10\.2\.0\.9: on hv\d+ by an/),
          },
          { outcome: 'recovered' },
        ],
      },
    ],
    ["its host's own address: stopped", true, { outcome: 'stopped', refusal: { name: 'disks-open' } }],
  ])('the answer to a reboot is lost, then its disks are open at %s', async (_, isOwn, expected) => {
    const pair = await bench.pair(2);
    const first = bench.seen(pair.names[0] ?? '').id;
    bench.simulator.fault({ kind: 'lose-answer', method: 'POST', path: new RegExp(first), body: /reboot/ });
    const wasSent = () =>
      bench.changes().some(({ path, body }) => path.includes(first) && body.includes('reboot'));
    const { storage } = ceph({
      mayMove: async ({ id }) =>
        id === first && wasSent() ? { kind: 'open', on: '10.2.0.9', isOwn } : { kind: 'closed' },
    });
    const mover = byDatabase(new PretendDatabase(() => bench.simulator));
    expect(await bench.worker({ storage, mover }).recover(bench.order(pair))).toMatchObject(expected);
  });

  const local: MayMove = { kind: 'absent', why: 'its disk is on none of these pools' };

  test.each(movers)(
    'one has its disk on none of the pools (%s): left alone, the others move',
    async (_, mover) => {
      const pair = await bench.pair({ ceph: {}, local: {} });
      const [onHost, id] = [`${pair.dead}-local`, bench.seen(`${pair.dead}-local`).id];
      const { storage } = ceph({ mayMove: async (one) => (one.id === id ? local : { kind: 'closed' }) });
      const report = await bench.worker({ storage, mover: mover() }).recover(bench.order(pair));
      expect(report.instances.map(({ name, outcome, why }) => [name, outcome, why])).toEqual([
        [`${pair.dead}-ceph`, 'recovered', null],
        [onHost, 'skipped', 'its disk is on none of these pools'],
      ]);
      expect(bench.seen(onHost)).toMatchObject({ host: pair.dead, evacuationsStarted: 0 });
    },
  );

  test.each(movers)('local_disks = recover (%s): it is made anew', async (_, mover) => {
    const pair = await bench.pair(1);
    const worker = bench.worker({
      ...{ storage: ceph({ mayMove: async () => local }).storage, mover: mover(), localDisks: 'recover' },
    });
    expect(await worker.recover(bench.order(pair))).toMatchObject({ instances: [{ outcome: 'recovered' }] });
  });

  test.each(movers)('it cannot be told for a while (%s): asked again, and recovered', async (_, mover) => {
    const pair = await bench.pair(1);
    let asked = 0;
    const { storage } = ceph({
      mayMove: async () => {
        asked += 1;
        return asked < 3 ? { kind: 'cannot-tell', why: 'osd.1 hangs' } : { kind: 'closed' };
      },
    });
    const worker = bench.worker({ storage, mover: mover() });
    expect(await worker.recover(bench.order(pair))).toMatchObject({ instances: [{ outcome: 'recovered' }] });
    expect(asked).toBeGreaterThanOrEqual(3);
  });
});

/** A worker that is stopped when it was about to ask for the first instance. */
async function stoppedAfterCutOff(storage: RecoveryStorage, order: ReturnType<EvacuationBench['order']>) {
  const stopper = new AbortController();
  const first = bench.worker({
    storage: { ...storage, mayMove: async () => Promise.reject(stopper.abort(new Error('stopped'))) },
  });
  expect(await first.recover(order, stopper.signal)).toMatchObject({ outcome: 'handed-back' });
}

test('a worker that is lost after the cutting off: the next one does not do it again', async () => {
  const pair = await bench.pair(1);
  const { storage, asked } = ceph();
  const order = bench.order(pair);
  await stoppedAfterCutOff(storage, order);
  expect(await bench.worker({ storage }).recover(bench.later(order, 0))).toMatchObject({ outcome: 'done' });
  expect(asked.filter((what) => what.startsWith('cut off'))).toHaveLength(1);
});

test('one that goes on much later does it again: somebody may have taken the entries away', async () => {
  const pair = await bench.pair(1);
  const { storage, asked } = ceph();
  const order = bench.order(pair);
  await stoppedAfterCutOff(storage, order);
  const laterMs = 700_000;
  const second = bench.worker({ storage, clock: new MovableClock(bench.clock.aheadMs + laterMs) });
  expect(await second.recover(bench.later(order, laterMs))).toMatchObject({ outcome: 'done' });
  expect(asked.filter((what) => what.startsWith('cut off'))).toHaveLength(2);
});
