// An OpenStack that answers late, wrongly or not at all in mid-recovery: every instance has at most one evacuation at a
// time, all end on the spare, none is wrecked.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { FaultOrder, Simulator } from '../../simulator/simulator.ts';
import { lostRequestMs } from '../../src/ns4/recovery/movers/instance-progress.ts';
import type { RecoverData, RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import { EvacuationBench, MovableClock, type Pair, type Worker } from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(40);
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.clearFaults());

interface Recovery {
  readonly pair: Pair;
  readonly order: RecoverData;
  readonly worker: Worker;
  readonly clock: MovableClock;
  readonly running: Promise<RecoveryReport>;
}

/** Begins one whose clock can be moved on; the verdict is ahead of it, so that old heartbeats stay old. */
async function begin(instances = 4, clock = new MovableClock()): Promise<Recovery> {
  const pair = await bench.pair(instances);
  const worker = bench.worker({ clock, concurrency: 3, client: { timeoutMs: 600 } });
  const order = bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 });
  const running = worker.recover(order);
  running.catch(() => undefined);
  return { pair, order, worker, clock, running };
}

/** Evacuations that Nova works at; two of one instance at a time would wreck it. */
function openPerInstance(simulator: Simulator): number {
  const open = simulator
    .snapshot()
    .migrations.filter((m) => ['accepted', 'pre-migrating'].includes(m.status));
  const counts = new Map<string, number>();
  for (const { server } of open) counts.set(server, (counts.get(server) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** The end every one of these stories must have; `asked`: evacuations per instance at most. */
async function expectRecovered({ pair, running }: Recovery, asked = 1): Promise<void> {
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, openPerInstance(bench.simulator));
  }, 2);
  const report = await running.finally(() => clearInterval(watch));
  expect(report.outcome).toBe('done');
  expect(report.instances.map((i) => [i.name, i.outcome, i.why])).toEqual(
    pair.names.map((name) => [name, 'recovered', null]),
  );
  expect(most).toBeLessThanOrEqual(1);
  for (const name of pair.names) {
    const seen = bench.seen(name);
    expect(seen, name).toMatchObject({
      host: pair.spare,
      status: 'ACTIVE',
      taskState: null,
      runningOn: [pair.spare],
      everTwoWriters: false,
      ports: [{ host: pair.spare, vifType: 'ovs', status: 'ACTIVE' }],
    });
    expect(seen.evacuationsStarted, name).toBeLessThanOrEqual(asked);
    expect(seen.evacuationsStarted, name).toBe(seen.evacuationsCompleted);
  }
}

const posted = (name: string) => {
  const { id } = bench.seen(name);
  return bench.changes().filter((r) => r.path.includes(id) && r.body.includes('evacuate')).length;
};
/** Time passes only once everything else is done: then those without a trace are asked for again. */
async function moveOnWhenStuck({ pair, worker, clock }: Recovery, stuck: number): Promise<void> {
  const ended = () => worker.heard.filter((facts) => facts.kind === 'instance-ended').length;
  // One canary after the other is lost on its way: each is waited for a moment, then it is the next one's turn.
  for (let lost = 1; lost <= stuck; lost += 1) {
    await until(
      () => pair.names.map(posted).filter((n) => n > 0).length,
      (n) => n >= lost,
    );
    clock.aheadMs += 3_000;
  }
  await until(ended, (n) => n >= pair.names.length - stuck);
  const before = pair.names.map(posted);
  clock.aheadMs += lostRequestMs - 10_000;
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(pair.names.map(posted)).toEqual(before);
  clock.aheadMs += 15_000;
}

const evacuation = { method: 'POST', body: /evacuate/ } as const;

test('the answers are lost after the work was done: looked for, never asked again', async () => {
  bench.simulator.fault({ ...evacuation, kind: 'lose-answer', times: 4 });
  const recovery = await begin();
  await expectRecovered(recovery);
  expect(recovery.pair.names.map(posted)).toEqual([1, 1, 1, 1]);
});

test.each([
  ['hangs', { kind: 'hang' }],
  ['is answered by a 500', { kind: 'error', status: 500 }],
  ['is answered by a 503 page', { kind: 'html' }],
  ['is answered by a 404 page', { kind: 'html', status: 404 }],
  ['is answered by a page that says 200', { kind: 'nonsense' }],
  ['is cut off', { kind: 'reset' }],
] as [string, FaultOrder][])(
  'a request that %s and leaves no trace: asked again after two minutes, not before',
  async (_, fault) => {
    bench.simulator.fault({ ...evacuation, ...fault, times: 2 });
    const recovery = await begin();
    await moveOnWhenStuck(recovery, 2);
    await expectRecovered(recovery);
    expect(recovery.pair.names.map(posted).sort()).toEqual([1, 1, 2, 2]);
  },
);

test('the clock is set forward while a request left no trace: not asked again before its time', async () => {
  bench.simulator.fault({ ...evacuation, kind: 'hang', times: 1 });
  const recovery = await begin(1);
  await until(
    () => recovery.pair.names.map(posted),
    ([count]) => count === 1,
  );
  for (const step of [30_000, 2 * lostRequestMs, -lostRequestMs]) {
    recovery.clock.setByMs += step;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(recovery.pair.names.map(posted)).toEqual([1]);
  }
  recovery.clock.aheadMs += lostRequestMs;
  await expectRecovered(recovery);
  expect(recovery.pair.names.map(posted)).toEqual([2]);
});

test('Nova takes requests a while after their sender gave up: not asked again meanwhile', async () => {
  bench.simulator.fault({ ...evacuation, kind: 'slow', delayMs: 1_500, times: 4 });
  const recovery = await begin();
  await new Promise((resolve) => setTimeout(resolve, 900));
  recovery.clock.aheadMs += lostRequestMs - 10_000;
  await expectRecovered(recovery);
  expect(recovery.pair.names.map(posted)).toEqual([1, 1, 1, 1]);
});

test('RabbitMQ is away when they are asked for: Nova carries them out when it is back', async () => {
  const recovery = await begin();
  const { spare } = recovery.pair;
  await until(
    () => bench.simulator.snapshot().hosts[spare]?.status,
    (status) => status === 'enabled',
  );
  await bench.simulator.stop('rabbitmq');
  await new Promise((resolve) => setTimeout(resolve, 600));
  recovery.clock.aheadMs += 2 * lostRequestMs;
  await new Promise((resolve) => setTimeout(resolve, 600));
  await bench.simulator.start('rabbitmq');
  await expectRecovered(recovery);
});

test.each([429, 401])('requests answered by %i for a while are made later', async (status) => {
  bench.simulator.fault({ ...evacuation, kind: 'error', status, times: 12 });
  await expectRecovered(await begin());
});

test('refused for good: three times, then failed with the words of Nova, the others are back', async () => {
  const pair = await bench.pair(3);
  const [bad = ''] = pair.names;
  bench.simulator.fault({ ...evacuation, kind: 'error', status: 403, path: bench.seen(bad).id, times: 9 });
  const report = await bench.worker().recover(bench.order(pair));
  expect(report.instances.map((i) => i.outcome)).toEqual(['failed', 'recovered', 'recovered']);
  expect(report.instances[0]?.why).toBe(
    'Nova refuses it: Unexpected API Error. (ordered from the simulator)',
  );
  expect(posted(bad)).toBe(3);
});

test.each([
  ['503 pages for a while', { kind: 'html', method: 'GET' }],
  ['404 pages for a while', { kind: 'html', method: 'GET', status: 404 }],
  ['500s for a while', { kind: 'error', method: 'GET' }],
  ['half bodies', { kind: 'half-body', method: 'GET' }],
  ['nonsense', { kind: 'nonsense', method: 'GET' }],
  ['closed connections', { kind: 'reset', method: 'GET' }],
] as [string, FaultOrder][])('reads answered by %s in mid-recovery', async (_, fault) => {
  const recovery = await begin();
  await until(
    () => recovery.pair.names.map(posted),
    (counts) => counts.some((n) => n > 0),
  );
  const ordered = bench.simulator.fault({ ...fault, times: 15 });
  await expectRecovered(recovery);
  expect(ordered.hits).toBeGreaterThan(3);
});

test.each(['nova', 'neutron', 'keystone'] as const)(
  '%s is away for a while in mid-recovery',
  async (service) => {
    const recovery = await begin(6);
    await until(
      () => recovery.pair.names.map(posted),
      (counts) => counts.some((n) => n > 0),
    );
    await bench.simulator.stop(service);
    if (service === 'keystone') bench.simulator.revokeTokens();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await bench.simulator.start(service);
    // A request that was cut off when the service went away left no trace, and is asked again only after its time: that
    // passes while Nova works at nothing, from whenever the worker begins to look for it.
    const passing = setInterval(() => {
      if (openPerInstance(bench.simulator) === 0) recovery.clock.aheadMs += 15_000;
    }, 500);
    await expectRecovered(recovery).finally(() => clearInterval(passing));
  },
);

test('OpenStack stays away: given up after ten minutes, each instance said to be unfinished', async () => {
  const recovery = await begin(2);
  await until(
    () => recovery.pair.names.map(posted),
    (counts) => counts.every((n) => n > 0),
  );
  const report = await bench.withoutNova(recovery.clock, recovery.running);
  expect(report).toMatchObject({ outcome: 'done', acted: true });
  for (const instance of report.instances)
    expect(instance).toMatchObject({
      outcome: 'unfinished',
      why: expect.stringMatching(/^OpenStack is away: /),
    });
});

/** Tells how long the worker rested, each time; a limit of a request is a sleep too. */
class RestsTold extends MovableClock {
  readonly restsMs: number[] = [];
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.restsMs.push(ms);
    return super.sleep(ms, signal);
  }
}

test.each([
  [150, 1_350],
  [400, 2_000],
])('a cloud whose answers take %i ms is left alone for %i ms and not for less', async (delayMs, restMs) => {
  bench.simulator.fault({ kind: 'slow', method: 'GET', path: '/os-migrations', delayMs, times: 100 });
  const clock = new RestsTold();
  await expectRecovered(await begin(4, clock));
  const rests = clock.restsMs.filter((ms) => ms >= 300 && ms < 10_000);
  expect(rests.length).toBeGreaterThan(1);
  expect(Math.min(...rests)).toBeGreaterThanOrEqual(restMs - 20);
  expect(Math.max(...rests)).toBeLessThanOrEqual(2_000);
});

test('the token is revoked again and again', async () => {
  const recovery = await begin(8);
  let revoked = 0;
  const revoke = setInterval(() => {
    // Whoever was turned away has its new token by then: one that is revoked as well before it was used is a refusal.
    if (bench.simulator.requests.slice(-8).some(({ api }) => api === 'keystone')) return;
    bench.simulator.revokeTokens();
    revoked += 1;
  }, 60);
  await expectRecovered(recovery).finally(() => clearInterval(revoke));
  expect(revoked).toBeGreaterThan(2);
});

test('the change of a service: answers lost, refused connections, server errors', async () => {
  for (const kind of ['lose-answer', 'error', 'html', 'half-body', 'hang'] as const) {
    bench.simulator.fault({ kind, method: 'PUT', path: '/os-services', times: 3 });
    const recovery = await begin(1);
    await expectRecovered(recovery);
    const { hosts } = bench.simulator.snapshot();
    expect(hosts[recovery.pair.dead], kind).toMatchObject({ forcedDown: true, status: 'disabled' });
  }
});

test('the dead service cannot be forced down: nothing is asked for, and the next attempt goes on', async () => {
  const pair = await bench.pair(2);
  const order = bench.order(pair);
  const fault = bench.simulator.fault({ kind: 'error', method: 'PUT', path: '/os-services', times: 1_000 });
  await expect(bench.worker().recover(order)).rejects.toThrow(/os-services.*500/);
  expect(pair.names.map(posted)).toEqual([0, 0]);
  expect(bench.simulator.snapshot().hosts[pair.spare]).toMatchObject({ status: 'disabled' });
  fault.cancel();
  const again = bench.worker().recover(bench.later(order, 0));
  expect(await again).toMatchObject({ outcome: 'done', incident: order.incident });
});

test('an instance stuck in Nova is never asked for again: unfinished after a quarter of an hour', async () => {
  const pair = await bench.pair({ fine: {}, stuck: { trouble: ['sticks'] } });
  const clock = new MovableClock();
  const worker = bench.worker({ clock });
  const running = worker.recover(bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 }));
  for (const aheadMs of [lostRequestMs, 2 * lostRequestMs, 600_000, 901_000]) {
    await until(
      () => worker.heard.length,
      (n) => n >= 3,
    );
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(posted(pair.names[1] ?? '')).toBe(1);
    clock.aheadMs = aheadMs;
  }
  const report = await running;
  expect(report.instances.map((i) => i.outcome)).toEqual(['recovered', 'unfinished']);
  expect(report.instances[1]?.why).toMatch(/^still migration pre-migrating.* after 15 minutes$/);
});
