// What somebody else does to an instance when its host dies: it is left alone and named, by both movers. And the canary:
// a target that cannot be used costs one instance, or three, and not all of them.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Journal } from '../../src/ns4/recovery/journal/journal.ts';
import type { Lock } from '../../src/ns4/recovery/journal/lock.ts';
import { byDatabase } from '../../src/ns4/recovery/movers/database/by-database.ts';
import { byApi } from '../../src/ns4/recovery/movers/nova/by-api.ts';
import type { RecoveryStorage } from '../../src/ns4/recovery/recovery.ts';
import type { InstanceReport } from '../../src/shared/documents/jobs/recover.ts';
import {
  EvacuationBench,
  MovableClock,
  nobodysWord,
  type Pair,
  PretendDatabase,
} from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(40);
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.clearFaults());

const database = new PretendDatabase(() => bench.simulator);
const movers = [
  ['api', () => byApi],
  ['database', () => byDatabase(database)],
] as const;

/** A pair whose host lives, so that something can begin on it, and dies then. */
async function diesInTheMidst(names: readonly string[], begin: (pair: Pair) => Promise<void>): Promise<Pair> {
  const pair = await bench.pair(
    Object.fromEntries(names.map((name) => [name, { launchedAgoMs: 86_400_000 }])),
  );
  await bench.simulator.revive(pair.dead);
  await begin(pair);
  await bench.simulator.kill(pair.dead);
  bench.simulator.forceDown(pair.dead);
  await bench.silence();
  bench.simulator.unspare(pair.dead);
  return pair;
}

const of = (pair: Pair, instances: readonly InstanceReport[]) =>
  Object.fromEntries(instances.map((i) => [i.name.replace(`${pair.dead}-`, ''), i]));
const fullName = (pair: Pair, name: string) => `${pair.dead}-${name}`;

describe.each(movers)('by %s', (_, mover) => {
  test('a live migration, a cold one, a rebuild, a start: left alone, the others are recovered', async () => {
    const pair = await diesInTheMidst(
      ['live', 'cold', 'rebuild', 'start', 'well'],
      async ({ dead, spare }) => {
        const call = (what: string) => bench.simulator.happen(what);
        await call(`an operator live-migrates ${dead}-live to ${bench.healthy}`);
        await call(`an operator migrates ${dead}-cold to ${bench.healthy}`);
        await call(`somebody rebuilds ${dead}-rebuild`);
        await call(`somebody stops ${dead}-start`);
        await until(
          () => bench.seen(`${dead}-start`).status,
          (status) => status === 'SHUTOFF',
        );
        await call(`somebody starts ${dead}-start`);
        expect(bench.seen(`${dead}-start`).taskState).toBe('powering-on');
        expect(spare).not.toBe(bench.healthy);
      },
    );
    const report = await bench.worker({ mover: mover() }).recover(bench.order(pair));
    const instances = of(pair, report.instances);
    const where = `from ${pair.dead} to ${bench.healthy}`;
    expect(instances.live).toMatchObject({
      outcome: 'skipped',
      why: `it is being live-migrated ${where} (running): it may run there, look there (virsh list)`,
    });
    expect(instances.cold).toMatchObject({
      outcome: 'skipped',
      why: `it is being migrated ${where} (migrating): it may run there, look there (virsh list)`,
    });
    expect(instances.rebuild).toMatchObject({
      outcome: 'skipped',
      why: `somebody ordered its rebuild (rebuilding), which is no evacuation: ${pair.dead} may carry it out when it returns`,
    });
    expect(instances.start).toMatchObject({
      outcome: 'skipped',
      why: `somebody ordered something (powering-on) that ${pair.dead} may carry out when it returns`,
    });
    expect(instances.well).toMatchObject({ outcome: 'recovered', to: pair.spare });
    for (const name of ['live', 'cold', 'rebuild', 'start'])
      expect(bench.seen(fullName(pair, name))).toMatchObject({
        host: pair.dead,
        evacuationsStarted: 0,
        everTwoWriters: false,
      });
    // At once, and not after the quarter of an hour that a rebuild of Nova's may take.
    expect(report.tookMs).toBeLessThan(30_000);
  });

  test('where Ceph has the disks, it is told where those of one that is left alone are open', async () => {
    const pair = await diesInTheMidst(['live'], ({ dead }) =>
      bench.simulator.happen(`an operator live-migrates ${dead}-live to ${bench.healthy}`),
    );
    const asked: string[] = [];
    const storage: RecoveryStorage = {
      mayMove: async () => ({ kind: 'closed' }),
      whereOpen: async ({ id }) => {
        asked.push(id);
        return 'its disks are open at 10.2.0.3';
      },
      cutOff: async () => ({ done: true, addresses: [], atMs: bench.clock.nowMs() }),
      word: nobodysWord,
    };
    const report = await bench.worker({ mover: mover(), storage }).recover(bench.order(pair));
    expect(report.instances).toMatchObject([
      {
        outcome: 'skipped',
        why: expect.stringMatching(/look there \(virsh list\); its disks are open at 10\.2\.0\.3$/),
      },
    ]);
    expect(asked).toEqual([bench.seen(fullName(pair, 'live')).id]);
  });

  test('a record of an evacuation that nobody ended, of last year: history', async () => {
    const pair = await bench.pair({ vm: { launchedAgoMs: 86_400_000 } });
    await bench.simulator.happen(
      `an evacuation of ${pair.dead}-vm to ${bench.healthy} was left behind 200 days ago`,
    );
    const report = await bench.worker({ mover: mover() }).recover(bench.order(pair));
    expect(report.instances).toMatchObject([{ outcome: 'recovered', to: pair.spare }]);
  });
});

/** Between the look at all instances and the last look at the one that is asked for first: the lock is confirmed there. */
function beforeTheLastLook(run: () => unknown): (lock: Lock) => Lock {
  const from = bench.simulator.requests.length;
  let isOver = false;
  return (lock) =>
    Object.assign(lock, {
      save: async (journal: Journal) => {
        await Object.getPrototypeOf(lock).save.call(lock, journal);
        const isSeen = bench.simulator.requests
          .slice(from)
          .some(({ path }) => path.includes('os-migrations'));
        if (!isSeen || isOver) return;
        isOver = true;
        expect(Object.values(journal.instances)).toMatchObject([{ state: 'pending', attempts: 0 }]);
        await run();
      },
    });
}

test('a migration that begins while the request is prepared is seen by the last look', async () => {
  const pair = await bench.pair({ vm: {} });
  const name = fullName(pair, 'vm');
  const worker = bench.worker({
    wrap: beforeTheLastLook(() =>
      bench.simulator.happen(`an evacuation of ${name} to ${bench.healthy} was left behind 0 days ago`),
    ),
  });
  const stopper = new AbortController();
  const order = bench.order(pair);
  const running = worker.recover(order, stopper.signal);
  const asked = async () =>
    Object.values((await worker.parts.journals.read(order.recovery))?.instances ?? {});
  await until(
    () => bench.simulator.snapshot().migrations.filter(({ server }) => server === name).length,
    (n) => n === 1,
  );
  // It is written down as not asked for again.
  await until(asked, ([entry]) => entry?.state === 'pending');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await asked()).toMatchObject([{ state: 'pending', attempts: 0 }]);
  expect(bench.seen(name).evacuationsStarted).toBe(0);
  stopper.abort(new Error('stopped'));
  expect(await running).toMatchObject({ outcome: 'handed-back', acted: false });
});

test("somebody else's evacuation that does not end takes no place: the others do not wait for it", async () => {
  const pair = await bench.pair({ vm1: {}, vm2: {} });
  const [stuck, other] = [fullName(pair, 'vm1'), fullName(pair, 'vm2')];
  await bench.simulator.happen(`an evacuation of ${stuck} to ${bench.healthy} was left behind 0 days ago`);
  const stopper = new AbortController();
  const running = bench.worker({ concurrency: 1 }).recover(bench.order(pair), stopper.signal);
  await until(
    () => bench.seen(other).host,
    (host) => host === pair.spare,
  );
  expect(bench.seen(stuck)).toMatchObject({ host: pair.dead, evacuationsStarted: 0 });
  stopper.abort(new Error('stopped'));
  expect(await running).toMatchObject({ outcome: 'handed-back' });
});

test('a process that stood still before its request looks again first', async () => {
  const pair = await bench.pair({ vm: {} });
  const [name = ''] = pair.names;
  const clock = new MovableClock();
  const worker = bench.worker({
    clock,
    // Ten minutes pass for all others, and none of its own clocks shows it.
    wrap: beforeTheLastLook(() => {
      clock.aheadMs -= 600_000;
    }),
  });
  const from = bench.simulator.requests.length;
  const report = await worker.recover(bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 }));
  expect(report.instances).toMatchObject([{ outcome: 'recovered' }]);
  const { id } = bench.seen(name);
  const about = bench.simulator.requests
    .slice(from)
    .filter((r) => r.path.includes(id) || r.path.includes(`instance_uuid=${id}`));
  // The look before the request was made twice.
  const looks = about.slice(
    0,
    about.findIndex(({ method }) => method === 'POST'),
  );
  expect(looks.filter(({ path }) => path.includes('os-migrations')).length).toBe(2);
  expect(bench.log.some((line) => line.includes('the last look before a request is too old'))).toBe(true);
});

describe('failed half-way', () => {
  test('A2: it runs on the first spare, so no other one gets it, now or by a later order', async () => {
    const pair = await bench.pair({ vm: { launchedAgoMs: 86_400_000 } });
    await bench.simulator.happen(`Nova will fail-late at ${pair.dead}-vm`);
    const first = await bench.worker().recover(bench.order(pair));
    expect(first.instances).toMatchObject([
      {
        outcome: 'failed',
        why: expect.stringMatching(
          new RegExp(`already exists"; it may run on ${pair.spare}: look there \\(virsh list\\)$`),
        ),
      },
    ]);
    const name = fullName(pair, 'vm');
    expect(bench.seen(name)).toMatchObject({ host: pair.dead, status: 'ERROR', runningOn: [pair.spare] });
    const other = await bench.pair({});
    bench.simulator.unspare(other.dead);
    const second = await bench.worker().recover(bench.order({ dead: pair.dead, spare: other.spare }));
    expect(second.instances).toMatchObject([
      {
        outcome: 'skipped',
        why: expect.stringMatching(
          new RegExp(`to ${pair.spare} failed half-way .*it may run on ${pair.spare}`),
        ),
      },
    ]);
    expect(bench.seen(name)).toMatchObject({ runningOn: [pair.spare], everTwoWriters: false });
  });
});

describe('the canary', () => {
  test('C3, a spare of another cell: one instance is wedged, the others were never asked for', async () => {
    const pair = await bench.pair(6);
    await bench.simulator.happen(`${pair.spare} is of another cell`);
    const clock = new MovableClock();
    const worker = bench.worker({ clock });
    const running = worker.recover(bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 }));
    const started = () => pair.names.filter((name) => bench.seen(name).evacuationsStarted > 0);
    await until(started, (names) => names.length === 1);
    clock.aheadMs += 31_000;
    await until(
      () => worker.heard,
      (heard) => heard.some((f) => f.kind === 'progress' && f.progress.step === 'canary-waits'),
    );
    const passing = setInterval(() => {
      clock.aheadMs += 120_000;
    }, 200);
    const report = await running.finally(() => clearInterval(passing));
    expect(started()).toHaveLength(1);
    expect(report.instances.map((i) => i.outcome)).toEqual(pair.names.map(() => 'unfinished'));
    expect(report.instances.filter((i) => i.why?.startsWith('not asked for, as'))).toHaveLength(5);
    const [canary = ''] = started();
    expect(report.instances.find((i) => i.name !== canary)?.why).toBe(
      `not asked for, as ${pair.spare} never began with "${canary}"`,
    );
  });

  test('a spare that the scheduler passes over: three are asked for, the others keep their state', async () => {
    const pair = await bench.pair(8);
    // Nova takes it for enabled, Placement does not.
    const disabled = setInterval(() => {
      if (bench.simulator.snapshot().hosts[pair.spare]?.status === 'enabled')
        bench.simulator.spare(pair.spare, 'by somebody else');
    }, 2);
    const report = await bench
      .worker()
      .recover(bench.order(pair))
      .finally(() => clearInterval(disabled));
    const errors = pair.names.filter((name) => bench.seen(name).status === 'ERROR');
    expect(errors).toHaveLength(3);
    expect(report.instances.filter((i) => i.outcome === 'failed')).toHaveLength(3);
    for (const instance of report.instances.filter((i) => i.outcome === 'unfinished'))
      expect(instance.why).toMatch(/^not asked for, as Nova found no place for .*, .*, .* with/);
  });

  test('the smallest that runs goes first, alone; the others follow as soon as Nova has begun with it', async () => {
    const pair = await bench.pair({
      big: { flavor: { memoryMb: 8_192 } },
      small: { flavor: { memoryMb: 512 } },
      off: { stopped: true, flavor: { memoryMb: 256 } },
      middle: {},
    });
    const report = await bench.worker().recover(bench.order(pair));
    expect(report.instances.map((i) => i.outcome)).toEqual(pair.names.map(() => 'recovered'));
    const moved = bench.simulator.snapshot().migrations.filter(({ source }) => source === pair.dead);
    expect(moved[0]?.server).toBe(fullName(pair, 'small'));
  });
});

describe('who answered before answers again', () => {
  const answers = { state: 'answers', detail: 'open' } as const;
  const silent = { state: 'silent', detail: '1 port silent' } as const;

  test('one does, one does not in time, one never did, one is stopped', async () => {
    const pair = await bench.pair({ well: {}, hangs: {}, mute: {}, off: { stopped: true } });
    const clock = new MovableClock();
    const worker = bench.worker({ clock });
    const idOf = (name: string) => bench.seen(fullName(pair, name)).id;
    worker.scans.set(idOf('well'), silent);
    for (const name of ['hangs', 'off']) worker.scans.set(idOf(name), silent);
    const running = worker.recover(bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 }));
    // All of them are told as back before anybody is waited for.
    await until(
      () => worker.heard.filter((facts) => facts.kind === 'instance-ended').length,
      (n) => n === 4,
    );
    worker.scans.set(idOf('well'), answers);
    await new Promise((resolve) => setTimeout(resolve, 500));
    clock.aheadMs += 31_000;
    const report = await running;
    const found = of(pair, report.instances);
    expect(report.instances.map((i) => i.outcome)).toEqual(pair.names.map(() => 'recovered'));
    expect([found.well?.answers, found.hangs?.answers, found.mute?.answers, found.off?.answers]).toEqual([
      true,
      false,
      null,
      null,
    ]);
    expect(report.tookMs).toBeLessThan(31_000);
    expect(await worker.parts.journals.read(report.recovery)).toMatchObject({
      ended: { outcome: 'done' },
    });
  });

  test('whoever took the recovery over asks them as well', async () => {
    const pair = await bench.pair({ hangs: {} });
    const [name = ''] = pair.names;
    const stopper = new AbortController();
    const first = bench.worker();
    first.scans.set(bench.seen(name).id, silent);
    const order = bench.order(pair);
    const running = first.recover(order, stopper.signal);
    await until(
      () => first.heard.some((facts) => facts.kind === 'instance-ended'),
      (ended) => ended,
    );
    stopper.abort(new Error('stopped'));
    expect(await running).toMatchObject({ outcome: 'handed-back' });
    const second = bench.worker();
    second.scans.set(bench.seen(name).id, answers);
    const report = await second.recover(bench.later(order, 0));
    expect(report).toMatchObject({ outcome: 'done', instances: [{ outcome: 'recovered', answers: true }] });
  });
});
