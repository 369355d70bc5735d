// A plan is carried out as it says: several targets, Nova's own choice, a fallback when it is certain that nothing runs
// at the first, waves, locks on everybody it names; and what the version before left is continued.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Journal } from '../../src/ns4/recovery/journal/journal.ts';
import type { Lock } from '../../src/ns4/recovery/journal/lock.ts';
import { byDatabase } from '../../src/ns4/recovery/movers/database/by-database.ts';
import { lostRequestMs } from '../../src/ns4/recovery/movers/instance-progress.ts';
import type { RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import { type Plan, planOntoSpare, type Target } from '../../src/shared/documents/terms/plan.ts';
import { EvacuationBench, MovableClock, type Pair, PretendDatabase } from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(16);
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.clearFaults());

const on = (host: string): Target => ({ kind: 'host', host });
const anywhere: Target = { kind: 'scheduler' };
const move = (instances: string[] | 'others', target: Target, change: Partial<Plan['moves'][0]> = {}) => ({
  instances,
  target,
  otherwise: null,
  wave: 1,
  ...change,
});
const plan = (moves: Plan['moves'], enable: string[] = []): Plan => ({
  method: 'reserved_host',
  moves,
  enable,
});
const id = (name: string) => bench.seen(name).id;
const ends = (report: RecoveryReport) =>
  report.instances.map(({ name, outcome, to }) => [name, outcome, to]).sort();
/** Bodies of the evacuations asked of Nova for an instance. */
const asked = (name: string) =>
  bench
    .changes()
    .filter((r) => r.path.includes(id(name)) && r.body.includes('evacuate'))
    .map((r) => JSON.parse(r.body).evacuate.host ?? null);
const late = () => ({ judgedAtMs: bench.clock.nowMs() + 3_600_000 });

/** When told to, as much time passes in each pause, between two looks at Nova, as a request is looked for. */
class HastyClock extends MovableClock {
  isHasty = false;
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.isHasty) {
      this.aheadMs += lostRequestMs;
      this.setByMs -= lostRequestMs;
    }
    return super.sleep(ms, signal);
  }
}

/** The target is closed to Nova's scheduler right before the first request leaves: it is refused after it was taken. */
const closing =
  (host: string) =>
  (real: Lock): Lock => {
    let done = false;
    return {
      get lost() {
        return real.lost;
      },
      save: async (journal: Journal) => {
        await real.save(journal);
        if (done || !Object.values(journal.instances).some((entry) => entry.state === 'asking')) return;
        done = true;
        bench.simulator.spare(host, 'maintenance');
      },
      end: (journal: Journal) => real.end(journal),
      release: () => real.release(),
    } as unknown as Lock;
  };

describe('targets', () => {
  test('each instance goes where the plan puts it; the report names where it went', async () => {
    const pair = await bench.pair(3);
    const [first = '', second = '', third = ''] = pair.names;
    const moves = [move([id(second)], on(bench.healthy)), move('others', on(pair.spare))];
    const worker = bench.worker();
    const report = await worker.recover(bench.order(pair, { plan: plan(moves, [pair.spare]) }));
    expect(report).toMatchObject({
      outcome: 'done',
      dead: pair.dead,
      targets: [on(bench.healthy), on(pair.spare)],
    });
    expect(ends(report)).toEqual([
      [first, 'recovered', pair.spare],
      [second, 'recovered', bench.healthy],
      [third, 'recovered', pair.spare],
    ]);
    expect(bench.seen(second)).toMatchObject({ host: bench.healthy, everTwoWriters: false });
    expect(bench.simulator.snapshot().hosts[pair.dead]?.disabledReason).toBe(
      `sonny resurrection on ${bench.healthy}, ${pair.spare} (${report.recovery} bench)`,
    );
    expect(worker.heard.at(-1)).toMatchObject({ kind: 'instance-ended', recovery: report.recovery });
  });

  test("Nova's choice: any host but the dead one, its own migration done, its ports there", async () => {
    const pair = await bench.pair(2);
    const report = await bench
      .worker()
      .recover(bench.order(pair, { plan: plan([move('others', anywhere)]) }));
    expect(report).toMatchObject({ outcome: 'done', targets: [anywhere] });
    for (const { name, outcome, to } of report.instances) {
      expect([name, outcome]).toEqual([name, 'recovered']);
      expect(to).toBe(bench.seen(name).host);
      expect(to).not.toBe(pair.dead);
      expect(asked(name)).toEqual([null]);
      expect(bench.seen(name)).toMatchObject({ ports: [{ host: to }], everTwoWriters: false });
    }
    // No spare of anybody was touched.
    expect(bench.simulator.snapshot().hosts[pair.spare]).toMatchObject({ status: 'disabled' });
  });

  test('an instance that the plan has no place for stays, and is named', async () => {
    const pair = await bench.pair(2);
    const [first = '', second = ''] = pair.names;
    const only = plan([move([id(first)], on(pair.spare))], [pair.spare]);
    const report = await bench.worker().recover(bench.order(pair, { plan: only }));
    expect(ends(report)).toEqual([
      [first, 'recovered', pair.spare],
      [second, 'skipped', null],
    ]);
    expect(asked(second)).toEqual([]);
  });

  test('a named target that is disabled and not to be enabled: nothing is begun', async () => {
    const pair = await bench.pair(1);
    const from = bench.simulator.requests.length;
    const report = await bench
      .worker()
      .recover(bench.order(pair, { plan: plan([move('others', on(pair.spare))]) }));
    expect(report).toMatchObject({
      outcome: 'refused',
      refusal: { name: 'spare-unfit', spare: pair.spare, why: 'it is disabled' },
    });
    expect(bench.changes(from)).toEqual([]);
  });

  test('evacuate = database, and Nova is to choose: nothing is begun', async () => {
    const pair = await bench.pair(1);
    const mover = byDatabase(new PretendDatabase(() => bench.simulator));
    const report = await bench
      .worker({ mover })
      .recover(bench.order(pair, { plan: plan([move('others', anywhere)]) }));
    expect(report).toMatchObject({ outcome: 'refused', acted: false, refusal: { name: 'api-unavailable' } });
  });

  test('evacuate = database: two targets, each row to its own', async () => {
    const pair = await bench.pair(2);
    const [first = '', second = ''] = pair.names;
    const mover = byDatabase(new PretendDatabase(() => bench.simulator));
    const moves = [move([id(first)], on(bench.healthy)), move('others', on(pair.spare), { wave: 2 })];
    const report = await bench
      .worker({ mover })
      .recover(bench.order(pair, { plan: plan(moves, [pair.spare]) }));
    expect(ends(report)).toEqual([
      [first, 'recovered', bench.healthy],
      [second, 'recovered', pair.spare],
    ]);
    expect(bench.seen(first)).toMatchObject({ runningOn: [bench.healthy], everTwoWriters: false });
  });
});

describe('the other target', () => {
  test('is used when Nova found no place at the first', async () => {
    const pair = await bench.pair(1);
    const [name = ''] = pair.names;
    const moves = [move('others', on(pair.spare), { otherwise: on(bench.healthy) })];
    const worker = bench.worker({ wrap: closing(pair.spare) });
    const report = await worker.recover(bench.order(pair, { plan: plan(moves, [pair.spare]) }));
    expect(ends(report)).toEqual([[name, 'recovered', bench.healthy]]);
    expect(asked(name)).toEqual([pair.spare, bench.healthy]);
    expect(bench.seen(name)).toMatchObject({ host: bench.healthy, everTwoWriters: false });
  });

  test('is used when Nova refused the request', async () => {
    const pair = await bench.pair(1);
    const [name = ''] = pair.names;
    bench.simulator.fault({ method: 'POST', body: /evacuate/, kind: 'error', status: 403, times: 1 });
    const moves = [move('others', on(pair.spare), { otherwise: on(bench.healthy) })];
    const report = await bench.worker().recover(bench.order(pair, { plan: plan(moves, [pair.spare]) }));
    expect(ends(report)).toEqual([[name, 'recovered', bench.healthy]]);
    expect(asked(name)).toEqual([pair.spare, bench.healthy]);
  });

  test('is never used when the rebuild at the first failed: something may run there', async () => {
    const pair = await bench.pair(1);
    const [name = ''] = pair.names;
    bench.simulator.trouble(name, 'fails', 'fails', 'fails');
    const moves = [move('others', on(pair.spare), { otherwise: on(bench.healthy) })];
    const report = await bench.worker().recover(bench.order(pair, { plan: plan(moves, [pair.spare]) }));
    expect(ends(report)).toEqual([[name, 'failed', null]]);
    expect(asked(name)).toEqual([pair.spare, pair.spare, pair.spare]);
  });

  test('is never used after a request of which nobody knows the outcome', async () => {
    const pair = await bench.pair(1);
    const [name = ''] = pair.names;
    bench.simulator.fault({ method: 'POST', body: /evacuate/, kind: 'hang', times: 1 });
    const clock = new HastyClock(bench.clock.aheadMs);
    const moves = [move('others', on(pair.spare), { otherwise: on(bench.healthy) })];
    const worker = bench.worker({ clock, wrap: closing(pair.spare) });
    const running = worker.recover(bench.order(pair, { plan: plan(moves, [pair.spare]), ...late() }));
    await until(
      () => bench.log.filter((line) => line.includes('evacuation of') && line.includes(name)).length,
      (count) => count > 0,
    );
    expect(asked(name)).toEqual([pair.spare]);
    // It leaves no trace for so long that it is asked for again; that one finds no place.
    clock.isHasty = true;
    expect(ends(await running)).toEqual([[name, 'failed', null]]);
    expect(asked(name)).toEqual([pair.spare, pair.spare, pair.spare]);
  }, 20_000);
});

test('a wave begins when every instance of the one before has its end', async () => {
  const pair = await bench.pair(6);
  const moves = [
    move(pair.names.slice(4).map(id), on(pair.spare), { wave: 1 }),
    move('others', on(pair.spare), { wave: 2 }),
  ];
  const [last, ...earlier] = [...pair.names].reverse();
  let early = 0;
  const watch = setInterval(() => {
    const unfinished = [last, earlier[0]].some((name) => bench.seen(name ?? '').host === pair.dead);
    const begun = pair.names.slice(0, 4).some((name) => bench.seen(name).evacuationsStarted > 0);
    if (unfinished && begun) early += 1;
  }, 3);
  const worker = bench.worker({ concurrency: 8 });
  const report = await worker.recover(bench.order(pair, { plan: plan(moves, [pair.spare]) }));
  clearInterval(watch);
  expect(report.instances.map((i) => i.outcome)).toEqual(pair.names.map(() => 'recovered'));
  expect(early).toBe(0);
  const order = worker.heard.flatMap((f) => (f.kind === 'instance-ended' ? [f.instance.name] : []));
  expect(order.slice(0, 2).sort()).toEqual(pair.names.slice(4));
});

describe('locks', () => {
  test('a target that another recovery works onto: nothing is begun', async () => {
    const pair = await bench.pair(1);
    const from = bench.simulator.requests.length;
    await bench.redis.set(bench.keys.lock(pair.spare), 'somebody else', 'PX', 600_000);
    const worker = bench.worker();
    const report = await worker.recover(bench.order(pair, { plan: planOntoSpare(pair.spare), ...late() }));
    expect(report).toMatchObject({
      outcome: 'refused',
      acted: false,
      refusal: { name: 'spare-unfit', spare: pair.spare },
    });
    expect(bench.changes(from)).toEqual([]);
    expect(await bench.redis.exists(bench.keys.lock(pair.dead))).toBe(0);
    await bench.redis.del(bench.keys.lock(pair.spare));
    const again = await worker.recover(bench.order(pair, { plan: planOntoSpare(pair.spare) }));
    expect(again.outcome).toBe('done');
    expect(await bench.redis.exists(bench.keys.lock(pair.dead), bench.keys.lock(pair.spare))).toBe(0);
  }, 20_000);
});

describe('from the version before', () => {
  /** A journal as that version wrote it, after the host was forced down. */
  const journalOf = ({ dead, spare, names }: Pair, incident: string) => ({
    version: 1,
    id: incident,
    dead,
    spare,
    method: 'api',
    openedAtMs: bench.clock.nowMs(),
    judgedAtMs: bench.clock.nowMs() - 500,
    evidence: ['a test says so'],
    acted: true,
    proof: null,
    steps: [{ atMs: bench.clock.nowMs(), step: `${dead} is forced down and disabled` }],
    instances: Object.fromEntries(
      names.map((name) => [
        id(name),
        {
          id: id(name),
          name,
          before: { status: 'ACTIVE', vmState: 'active' },
          state: 'pending',
          attempts: 0,
          askedAtMs: null,
          report: null,
        },
      ]),
    ),
    ended: null,
  });

  async function left(pair: Pair, incident: string): Promise<void> {
    const [service] = await bench
      .worker()
      .parts.cloud.listComputeServices(new AbortController().signal, pair.dead);
    await bench
      .worker()
      .parts.cloud.changeComputeService(
        service?.id ?? '',
        { forcedDown: true, status: 'disabled', disabledReason: `sonny resurrection on ${pair.spare}` },
        new AbortController().signal,
      );
    await bench.redis.set(bench.keys.journal(incident), JSON.stringify(journalOf(pair, incident)));
    await bench.redis.set(bench.keys.openJournal(pair.dead), incident);
  }

  test('a recovery under way is continued by a job of today, under its own journal', async () => {
    const pair = await bench.pair(2);
    const { incident } = bench.order(pair);
    await left(pair, incident);
    const worker = bench.worker();
    const order = { ...bench.order(pair, late()), incident, recovery: incident, attempt: 2 };
    expect(await worker.recover(order)).toMatchObject({ outcome: 'done', recovery: incident, acted: true });
    for (const name of pair.names)
      expect(bench.seen(name)).toMatchObject({ host: pair.spare, evacuationsStarted: 1 });
    expect(await worker.parts.journals.open(pair.dead)).toBeNull();
    // What that version told is not told again.
    const told = worker.heard.flatMap((f) => (f.kind === 'progress' ? [f.progress.step] : []));
    expect(told).toEqual(['moving']);
  });
});
