// Workers that are lost, stopped, frozen out or doubled at every moment of an evacuation: the end is the same, and no
// instance is asked for twice.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Journal } from '../../src/ns4/recovery/journal/journal.ts';
import type { Lock } from '../../src/ns4/recovery/journal/lock.ts';
import { byDatabase } from '../../src/ns4/recovery/movers/database/by-database.ts';
import { lostRequestMs } from '../../src/ns4/recovery/movers/instance-progress.ts';
import type { Mover } from '../../src/ns4/recovery/movers/mover.ts';
import { byApi } from '../../src/ns4/recovery/movers/nova/by-api.ts';
import type { RecoverData, RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import {
  EvacuationBench,
  MovableClock,
  type Pair,
  PretendDatabase,
  type Worker,
} from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(120);
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.clearFaults());

/** Nova had time to show a trace of whatever was asked before. */
const laterMs = lostRequestMs + 5_000;
async function later(
  order: RecoverData,
  mover: Mover = byApi,
  prepare: (worker: Worker) => void = () => {},
): Promise<RecoveryReport> {
  const clock = new MovableClock(bench.clock.aheadMs + laterMs);
  // Once it looks for a trace of what was asked before, that time passes; the time of day stays with the cloud's.
  const passing = setInterval(() => {
    clock.aheadMs += laterMs;
    clock.setByMs -= laterMs;
  }, 1_000);
  const worker = bench.worker({ mover, clock });
  prepare(worker);
  return worker.recover(bench.later(order, laterMs)).finally(() => clearInterval(passing));
}

/** Where only the worker's clock is moved on, the last heartbeats must not seem to be later than the verdict. */
const timeless = () => ({ judgedAtMs: bench.clock.nowMs() + 3_600_000 });

/** Of the writes of a recovery of one instance: the look before its request confirms the lock, then it says "asking". */
const lookingWrite = 4;
const askingWrite = 5;
/** By the database method: all rows at once, the lock being held. */
const askingRowsWrite = 4;

class Crash extends Error {}
type Moment = 'before' | 'after' | 'stop';

/** Ends the worker at its k-th write of the journal: before or after it is done, or by a stop signal. */
class Fate {
  readonly stopper = new AbortController();
  writes = 0;
  #lost = false;
  readonly #at: number;
  readonly #moment: Moment;
  constructor(at: number, moment: Moment) {
    this.#at = at;
    this.#moment = moment;
  }

  readonly wrap = (real: Lock): Lock =>
    ({
      get lost() {
        return real.lost;
      },
      save: (journal: Journal) => this.#write(() => real.save(journal)),
      end: (journal: Journal) => this.#write(() => real.end(journal)),
      // As if the lock of a lost worker had run out.
      release: () => real.release(),
    }) as unknown as Lock;

  async #write(write: () => Promise<void>): Promise<void> {
    if (this.#lost) throw new Crash('lost already');
    this.writes += 1;
    if (this.writes !== this.#at) return write();
    if (this.#moment === 'stop') {
      this.stopper.abort(new Error('stopped'));
      return write();
    }
    if (this.#moment === 'after') await write();
    this.#lost = true;
    throw new Crash(`lost at write ${this.#at}`);
  }
}

const three = { active: {}, another: {}, off: { stopped: true } };

async function expectAllOn({ dead, spare, names }: Pair, asked: number): Promise<void> {
  const { hosts } = bench.simulator.snapshot();
  // A port that was bound anew is ACTIVE a moment later.
  await until(
    () => names.map((name) => bench.seen(name).ports[0]?.status),
    (all) => all.every((status) => status === 'ACTIVE'),
  );
  for (const name of names)
    expect(bench.seen(name), name).toMatchObject({
      host: spare,
      status: name.endsWith('off') ? 'SHUTOFF' : 'ACTIVE',
      taskState: null,
      ports: [{ host: spare, vifType: 'ovs', status: 'ACTIVE' }],
      runningOn: name.endsWith('off') ? [] : [spare],
      evacuationsStarted: asked,
      everTwoWriters: false,
    });
  expect(hosts[dead]).toMatchObject({ forcedDown: true, status: 'disabled' });
  expect(hosts[spare]).toMatchObject({ status: 'enabled' });
}

/**
 * One life of a worker that ends at write `at`, then a second worker on the same order. False: it did not end there.
 */
async function lostAndContinued(at: number, moment: Moment, mover: () => Mover): Promise<boolean> {
  const pair = await bench.pair(three);
  const order = bench.order(pair);
  const fate = new Fate(at, moment);
  const first = bench.worker({ concurrency: 2, wrap: fate.wrap, mover: mover() });
  const end = await first.recover(order, fate.stopper.signal).catch((error: unknown) => error);
  const context = `${moment} write ${at}`;
  if (fate.writes < at) {
    expect(end, context).toMatchObject({ outcome: 'done', refusal: null });
    return false;
  }
  if (moment !== 'stop') expect(end, context).toBeInstanceOf(Crash);
  else expect(['handed-back', 'done'], context).toContain((end as RecoveryReport).outcome);
  const report = await later(order, mover());
  expect(report, context).toMatchObject({ incident: order.incident, outcome: 'done', acted: true });
  expect(
    report.instances.map((i) => [i.name, i.outcome]),
    context,
  ).toEqual(pair.names.map((name) => [name, 'recovered']));
  await expectAllOn(pair, mover().name === 'api' ? 1 : 0);
  expect(await first.parts.journals.open(pair.dead)).toBeNull();
  return true;
}

async function atEveryWrite(moment: Moment, mover: () => Mover): Promise<number> {
  const together = 5;
  for (let from = 1; from < 40; from += together) {
    const lives = Array.from({ length: together }, (_, i) => lostAndContinued(from + i, moment, mover));
    const lost = await Promise.all(lives);
    const last = lost.indexOf(false);
    if (last >= 0) return from + last - 1;
  }
  throw new Error('it never ended by itself');
}

test.each(['before', 'after', 'stop'] as const)(
  'lost at every write of the journal (%s), and continued by another worker: each instance is asked for once',
  async (moment) => {
    expect(await atEveryWrite(moment, () => byApi)).toBeGreaterThanOrEqual(10);
  },
);

test.each(['before', 'after'] as const)(
  'the database method, lost at every write (%s): moved once, and running on the spare only',
  async (moment) => {
    const database = new PretendDatabase(() => bench.simulator);
    expect(await atEveryWrite(moment, () => byDatabase(database))).toBeGreaterThanOrEqual(8);
  },
);

test('what was journaled and perhaps asked is not asked again before Nova had its time to show a trace', async () => {
  const pair = await bench.pair(1);
  const [name = ''] = pair.names;
  const order = bench.order(pair, timeless());
  // Lost right after it said "asking": nothing left for Nova.
  const fate = new Fate(askingWrite, 'after');
  await expect(bench.worker({ wrap: fate.wrap }).recover(order)).rejects.toThrow(Crash);
  const clock = new MovableClock();
  const from = bench.simulator.requests.length;
  const running = bench.worker({ clock }).recover(bench.later(order, 0));
  // The wait is counted from its first look; a clock that moved on before would prolong it.
  const looked = ({ path, status }: { path: string; status: number | null }) =>
    path.includes('/os-migrations') && status !== null;
  await until(
    () => bench.simulator.requests.slice(from).filter(looked).length,
    (looks) => looks >= 2,
  );
  for (const aheadMs of [0, lostRequestMs / 2, lostRequestMs - 3_000]) {
    clock.aheadMs = aheadMs;
    await delay(250);
    expect(bench.seen(name).evacuationsStarted).toBe(0);
  }
  clock.aheadMs = laterMs;
  expect((await running).instances).toMatchObject([{ outcome: 'recovered' }]);
  await expectAllOn(pair, 1);
});

/** Two lives; at the beginning of the second one the guest answers from where it always was. */
async function wokenUp(mover: () => Mover) {
  const pair = await bench.pair(1);
  const [name = ''] = pair.names;
  const order = bench.order(pair, timeless());
  const fate = new Fate(mover().name === 'api' ? askingWrite : askingRowsWrite, 'after');
  await expect(bench.worker({ wrap: fate.wrap, mover: mover() }).recover(order)).rejects.toThrow(Crash);
  const answers = { state: 'answers', detail: '192.0.2.7:22 open' } as const;
  const report = await later(order, mover(), (worker) => worker.scans.set(bench.seen(name).id, answers));
  expect(bench.seen(name)).toMatchObject({ evacuationsStarted: 0, everTwoWriters: false });
  return { report, name };
}

test('a request that was written down and never left, and the guest woke up since: it is not asked for again', async () => {
  const { report, name } = await wokenUp(() => byApi);
  const evidence = `its instance "${name}" answers (192.0.2.7:22 open)`;
  expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back', evidence } });
});

test('likewise rows that were never rewritten, by the database method', async () => {
  const database = new PretendDatabase(() => bench.simulator);
  const { report, name } = await wokenUp(() => byDatabase(database));
  const evidence = `its instance "${name}" answers (192.0.2.7:22 open)`;
  expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back', evidence } });
});

test.each(['before', 'after'] as const)(
  'lost at the last look (%s it was begun): nothing was asked for, and nobody waits for a trace of it',
  async (moment) => {
    const pair = await bench.pair(1);
    const order = bench.order(pair, timeless());
    const fate = new Fate(lookingWrite, moment);
    await expect(bench.worker({ wrap: fate.wrap }).recover(order)).rejects.toThrow(Crash);
    const report = await bench.worker().recover(bench.later(order, 0));
    expect(report.instances).toMatchObject([{ outcome: 'recovered' }]);
    expect(report.tookMs).toBeLessThan(lostRequestMs / 2);
    await expectAllOn(pair, 1);
  },
);

/** An evacuation of six, one at a time, seen in its middle. */
async function inTheMiddle(options: { stop?: AbortSignal; clock?: MovableClock } = {}) {
  const pair = await bench.pair(6);
  const order = bench.order(pair, timeless());
  const worker = bench.worker({ concurrency: 1, ...(options.clock && { clock: options.clock }) });
  const running = worker.recover(order, options.stop);
  running.catch(() => undefined);
  await until(
    () => recovered(worker),
    (n) => n >= 2,
  );
  return { pair, order, worker, running };
}
const recovered = (worker: Worker) => worker.heard.filter((facts) => facts.kind === 'instance-ended').length;
const asked = (pair: Pair) => pair.names.filter((name) => bench.seen(name).evacuationsStarted > 0).length;

test('told to stop in the middle: handed back at once, finished by the next one', async () => {
  const stopper = new AbortController();
  const { pair, order, running } = await inTheMiddle({ stop: stopper.signal });
  const stoppedMs = Date.now();
  stopper.abort(new Error('stopped'));
  expect(await running).toMatchObject({ outcome: 'handed-back', acted: true, incident: order.incident });
  expect(Date.now() - stoppedMs).toBeLessThan(1_000);
  expect(asked(pair)).toBeLessThan(6);
  // At once: a stop leaves no request behind of which nobody knows.
  expect(await bench.worker().recover(bench.later(order, 0))).toMatchObject({ outcome: 'done' });
  await expectAllOn(pair, 1);
});

test('told to stop while it collects facts: handed back, not refused', async () => {
  const pair = await bench.pair(1);
  const stopper = new AbortController();
  bench.simulator.fault({ kind: 'hang', path: '/os-aggregates' });
  const running = bench.worker().recover(bench.order(pair), stopper.signal);
  await delay(100);
  stopper.abort(new Error('stopped'));
  expect(await running).toMatchObject({ outcome: 'handed-back', acted: false, instances: [] });
  expect(bench.simulator.snapshot().hosts[pair.dead]).toMatchObject({ forcedDown: false });
});

test('two workers with the same order: one works, the other waits and tells the same', async () => {
  const pair = await bench.pair(three);
  const order = bench.order(pair);
  const [one, two] = await Promise.all([
    bench.worker().recover(order),
    bench.worker().recover(bench.later(order, 0)),
  ]);
  expect(one.outcome).toBe('done');
  expect({ ...two, tookMs: 0 }).toEqual({ ...one, tookMs: 0 });
  await expectAllOn(pair, 1);
});

test('another worker is at it for long: neither the same order nor another one gets in between', async () => {
  const { pair, order, running } = await inTheMiddle();
  const impatient = async (o: typeof order) => {
    const clock = new MovableClock();
    const waiting = bench.worker({ clock }).recover(o);
    waiting.catch(() => undefined);
    await delay(60);
    clock.aheadMs = 13_000;
    return waiting;
  };
  await Promise.all([
    expect(impatient(bench.later(order, 0))).rejects.toThrow(
      `another worker is at the recovery of ${pair.dead}`,
    ),
    expect(impatient({ ...order, incident: 'by-hand', recovery: 'by-hand.1' })).resolves.toMatchObject({
      outcome: 'refused',
      acted: false,
      refusal: { name: 'already-recovering', incident: order.incident, spare: pair.spare },
    }),
  ]);
  expect(await running).toMatchObject({ outcome: 'done' });
  await expectAllOn(pair, 1);
});

test('a worker that lost its lock to another one does nothing more', async () => {
  const { pair, order, running, worker } = await inTheMiddle();
  await bench.redis.set(bench.keys.lock(pair.dead), 'somebody else');
  const before = asked(pair);
  expect(await running).toMatchObject({ outcome: 'superseded', acted: true });
  // One request may have had its confirmation just before.
  expect(asked(pair)).toBeLessThanOrEqual(before + 1);
  const after = asked(pair);
  const changes = bench.changes().length;
  await delay(300);
  expect(asked(pair)).toBe(after);
  expect(bench.changes()).toHaveLength(changes);
  expect(await bench.redis.get(bench.keys.lock(pair.dead))).toBe('somebody else');
  expect((await worker.parts.journals.open(pair.dead))?.id).toBe(order.recovery);
  await bench.redis.del(bench.keys.lock(pair.dead));
  expect(await later(order)).toMatchObject({ outcome: 'done' });
  await expectAllOn(pair, 1);
});

test('the lock vanishes without a rival, or Redis loses everything: asked anew, and finished', async () => {
  for (const loss of ['lock', 'everything']) {
    const { pair, order, running } = await inTheMiddle();
    if (loss === 'lock') await bench.redis.del(bench.keys.lock(pair.dead));
    else await bench.redis.flushall();
    const report = await running;
    expect(report, loss).toMatchObject({ outcome: 'done', acted: true, incident: order.incident });
    expect(report.instances.map((i) => i.outcome)).toEqual(pair.names.map(() => 'recovered'));
    await expectAllOn(pair, 1);
  }
});

test('the host comes back in the middle: nothing more is asked for, and its guests stay its own', async () => {
  const clock = new MovableClock();
  const { pair, running } = await inTheMiddle({ clock });
  await bench.simulator.revive(pair.dead);
  clock.aheadMs += 21_000;
  const report = await running;
  expect(report).toMatchObject({ outcome: 'stopped', acted: true, refusal: { name: 'came-back' } });
  expect(report.instances.map((i) => i.outcome)).toContain('unfinished');
  const started = pair.names.map((name) => bench.seen(name).evacuationsStarted);
  expect(started.at(-1)).toBe(0);
  await delay(300);
  expect(pair.names.map((name) => bench.seen(name).evacuationsStarted)).toEqual(started);
  for (const name of pair.names) expect(bench.seen(name).everTwoWriters).toBe(false);
});

test.each([
  ['before its last look', lookingWrite],
  ['between its last look and its request', askingWrite],
])('a worker stands still %s, and the host comes back meanwhile: nothing is asked', async (_, at) => {
  const pair = await bench.pair(1);
  const [name = ''] = pair.names;
  const order = bench.order(pair);
  let wake = () => {};
  const asleep = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let writes = 0;
  // The worker stands still right before that write, and its lock runs out.
  const wrap = (real: Lock) =>
    ({
      lost: new AbortController().signal,
      save: async (incident: Journal) => {
        writes += 1;
        if (writes === at) await asleep;
        await real.save(incident);
      },
      end: (incident: Journal) => real.end(incident),
      release: () => real.release(),
    }) as unknown as Lock;
  const frozen = bench.worker({ wrap }).recover(order);
  await until(
    () => writes,
    (n) => n === at,
  );
  await bench.redis.del(bench.keys.lock(pair.dead));
  await bench.simulator.revive(pair.dead);
  const report = await bench.worker().recover(bench.later(order, 0));
  expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back' } });
  wake();
  expect(await frozen).toEqual(report);
  await delay(200);
  expect(bench.seen(name)).toMatchObject({ host: pair.dead, evacuationsStarted: 0, everTwoWriters: false });
});

test('the host came back between two workers: stopped, told as acted, and not begun again', async () => {
  const stopper = new AbortController();
  const { pair, order, running } = await inTheMiddle({ stop: stopper.signal });
  stopper.abort(new Error('stopped'));
  expect((await running).outcome).toBe('handed-back');
  await until(
    () => pair.names.map((name) => bench.seen(name).taskState),
    (tasks) => tasks.every((task) => task === null),
  );
  await bench.simulator.revive(pair.dead);
  const again = () => bench.worker().recover(bench.later(order, 0));
  const report = await again();
  expect(report).toMatchObject({ outcome: 'stopped', acted: true, refusal: { name: 'came-back' } });
  // Its worker was lost before it could tell: the next one tells the same.
  await bench.simulator.kill(pair.dead);
  expect(await again()).toEqual(report);
  for (const name of pair.names) expect(bench.seen(name)).toMatchObject({ everTwoWriters: false });
});

test('an incident that was left open, its host back in service since: the next one begins anew', async () => {
  const pair = await bench.pair(1);
  const [name = ''] = pair.names;
  const stopper = new AbortController();
  const left = bench.order(pair);
  const running = bench.worker({
    mover: {
      name: 'api',
      shortcoming: () => null,
      begin:
        ({ signal }) =>
        () =>
          delay(60_000, undefined, { signal }),
    },
  });
  const handed = running.recover(left, stopper.signal);
  await until(
    () => bench.simulator.snapshot().hosts[pair.spare]?.status,
    (status) => status === 'enabled',
  );
  stopper.abort(new Error('stopped'));
  expect((await handed).outcome).toBe('handed-back');
  // Put back into service by people, and dead again, with the spare set aside again.
  bench.simulator.unspare(pair.dead);
  bench.simulator.spare(pair.spare);
  await bench.simulator.delete(name);
  await bench.simulator.boot(`${pair.dead}-new`, pair.dead);
  await bench.simulator.kill(pair.dead);
  const order = bench.order(pair);
  const report = await bench.worker().recover(order);
  expect(report).toMatchObject({ outcome: 'done', incident: order.incident });
  expect(report.instances.map((i) => [i.name, i.outcome])).toEqual([[`${pair.dead}-new`, 'recovered']]);
});
