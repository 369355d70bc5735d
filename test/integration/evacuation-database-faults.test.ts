// The database method while MySQL, Placement, Nova, Neutron or Keystone is away in mid-recovery: it goes on when they
// are back, and what stays undone is said of each instance.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { FaultOrder } from '../../simulator/simulator.ts';
import type { InstanceMove } from '../../src/ns4/nova-database/nova-database.ts';
import { byDatabase } from '../../src/ns4/recovery/movers/database/by-database.ts';
import { progressText } from '../../src/shared/documents/events/progress.ts';
import type { RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import { OperationalError } from '../../src/shared/ground/errors.ts';
import {
  EvacuationBench,
  MovableClock,
  never,
  type Pair,
  PretendDatabase,
  type Worker,
} from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(30);
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.clearFaults());

/** A MySQL that may be away: then it answers as the real client does. */
class Mysql extends PretendDatabase {
  isAway = false;
  turnedAway = 0;
  override async moveInstances(move: InstanceMove) {
    if (!this.isAway) return super.moveInstances(move);
    this.turnedAway += 1;
    throw new OperationalError('MySQL at db:3306: connect ECONNREFUSED; nothing was changed');
  }
}

interface Recovery {
  readonly pair: Pair;
  readonly mysql: Mysql;
  readonly worker: Worker;
  readonly clock: MovableClock;
  readonly running: Promise<RecoveryReport>;
}

async function begin(instances: number | Pair, isMysqlAway = false): Promise<Recovery> {
  const pair = typeof instances === 'number' ? await bench.pair(instances) : instances;
  const mysql = new Mysql(() => bench.simulator);
  mysql.isAway = isMysqlAway;
  const clock = new MovableClock();
  const mover = byDatabase(mysql);
  const worker = bench.worker({ mover, clock, concurrency: 2, client: { timeoutMs: 600 } });
  const order = bench.order(pair, { judgedAtMs: bench.clock.nowMs() + 3_600_000 });
  const running = worker.recover(order);
  running.catch(() => undefined);
  return { pair, mysql, worker, clock, running };
}

const steps = ({ worker }: Recovery) =>
  worker.heard.flatMap((facts) =>
    facts.kind === 'progress' ? [progressText(facts.host, facts.progress)] : [],
  );
const rebooted = ({ pair }: Recovery) =>
  pair.names.map((name) => {
    const { id } = bench.seen(name);
    return bench.changes().filter((r) => r.path.includes(id) && r.body.includes('reboot')).length;
  });

async function expectRecovered({ pair, running }: Recovery, allocatedOn: 'dead' | 'spare' = 'spare') {
  const report = await running;
  expect(report.instances.map((i) => [i.name, i.outcome, i.why])).toEqual(
    pair.names.map((name) => [name, 'recovered', null]),
  );
  for (const name of pair.names)
    expect(bench.seen(name), name).toMatchObject({
      ...{ host: pair.spare, status: 'ACTIVE', runningOn: [pair.spare], everTwoWriters: false },
      ...{
        allocatedOn: [pair[allocatedOn]],
        ports: [{ host: pair.spare, vifType: 'ovs', status: 'ACTIVE' }],
      },
    });
}

test('MySQL is away for a while: said once, and done when it is back', async () => {
  const recovery = await begin(3, true);
  await until(
    () => recovery.mysql.turnedAway,
    (n) => n >= 3,
  );
  recovery.mysql.isAway = false;
  await expectRecovered(recovery);
  expect(steps(recovery).filter((text) => text.startsWith('MySQL'))).toEqual([
    'MySQL at db:3306: connect ECONNREFUSED; nothing was changed; tried again for 10 minutes',
  ]);
});

test('MySQL stays away: given up after ten minutes, each instance said to be unfinished, none touched', async () => {
  const recovery = await begin(2, true);
  await until(
    () => recovery.mysql.turnedAway,
    (n) => n >= 2,
  );
  recovery.clock.aheadMs += 601_000;
  const report = await recovery.running;
  expect(report.instances.map((i) => [i.outcome, i.why])).toEqual(
    Array(2).fill(['unfinished', 'MySQL at db:3306: connect ECONNREFUSED; nothing was changed']),
  );
  for (const name of recovery.pair.names)
    expect(bench.seen(name)).toMatchObject({ host: recovery.pair.dead, allocatedOn: [recovery.pair.dead] });
  expect(rebooted(recovery)).toEqual([0, 0]);
});

test('the host comes back while MySQL is away: nothing is moved when it is back', async () => {
  const recovery = await begin(2, true);
  await until(
    () => recovery.mysql.turnedAway,
    (n) => n >= 2,
  );
  await bench.simulator.revive(recovery.pair.dead);
  // The silence that was seen is too old to act on by now.
  recovery.clock.aheadMs += 25_000;
  recovery.mysql.isAway = false;
  expect(await recovery.running).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back' } });
  expect(recovery.mysql.moves).toEqual([]);
});

test.each(['nova', 'neutron', 'keystone'] as const)(
  '%s is away for a while in mid-recovery',
  async (service) => {
    const recovery = await begin(5);
    await until(
      () => rebooted(recovery),
      (counts) => counts.some((n) => n > 0),
    );
    await bench.simulator.stop(service);
    if (service === 'keystone') bench.simulator.revokeTokens();
    // Longer than the client repeats its reads.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await bench.simulator.start(service);
    await expectRecovered(recovery);
  },
);

test.each([
  ['500s', { kind: 'error', status: 500 }],
  ['503 pages', { kind: 'html' }],
  ['404 pages', { kind: 'html', status: 404 }],
  ['half bodies', { kind: 'half-body' }],
  ['nonsense', { kind: 'nonsense' }],
  ['closed connections', { kind: 'reset' }],
  ['401s', { kind: 'error', status: 401 }],
] as [string, FaultOrder][])(
  'reads and changes answered by %s for a while in mid-recovery',
  async (_, fault) => {
    const recovery = await begin(4);
    await until(
      () => rebooted(recovery),
      (counts) => counts.some((n) => n > 0),
    );
    const ordered = bench.simulator.fault({ ...fault, times: 25 });
    await expectRecovered(recovery);
    expect(ordered.hits).toBeGreaterThan(3);
  },
);

test('reboots answered by a page that says 200, with nothing done: asked for again', async () => {
  bench.simulator.fault({ kind: 'nonsense', method: 'POST', body: /reboot/, times: 3 });
  const recovery = await begin(2);
  await expectRecovered(recovery);
  expect(rebooted(recovery).reduce((sum, n) => sum + n, 0)).toBe(5);
});

test('an instance that was being rebooted when its host died is left alone: its host may do it when it returns', async () => {
  const pair = await bench.pair(1);
  const { id } = bench.seen(pair.names[0] ?? '');
  await bench.worker().parts.cloud.hardReboot(id, never);
  expect(bench.seen(pair.names[0] ?? '').taskState).toBe('rebooting_hard');
  const { instances } = await (await begin(pair)).running;
  expect(instances).toMatchObject([{ outcome: 'skipped', why: expect.stringMatching(/\(rebooting_hard\)/) }]);
  expect(bench.seen(pair.names[0] ?? '').host).toBe(pair.dead);
});

test('Nova stays away: given up after ten minutes, each instance said to be unfinished', async () => {
  const recovery = await begin(2);
  await until(
    () => rebooted(recovery),
    (counts) => counts.every((n) => n > 0),
  );
  const report = await bench.withoutNova(recovery.clock, recovery.running);
  for (const instance of report.instances)
    expect(instance).toMatchObject({
      outcome: 'unfinished',
      why: expect.stringMatching(/^OpenStack is away: /),
    });
});

test('Placement is away for a while: the instances are back, and counted on the spare when it is back', async () => {
  await bench.simulator.stop('placement');
  const recovery = await begin(4);
  const running = () => recovery.pair.names.map((name) => bench.seen(name).runningOn[0]);
  // All of them, though no more than two at a time have a place: nobody waits for a place because of Placement.
  await until(running, (hosts) => hosts.every((host) => host === recovery.pair.spare));
  await bench.simulator.start('placement');
  await expectRecovered(recovery);
  expect(steps(recovery).filter((text) => text.startsWith('Placement'))).toEqual([]);
});

test.each<[string, () => Promise<void> | void]>([
  ['stays away', () => bench.simulator.stop('placement')],
  [
    'answers nonsense',
    () => void bench.simulator.fault({ kind: 'nonsense', path: '/allocations', times: 10_000 }),
  ],
])('Placement %s: the instances are back all the same, and it is said of each', async (_, trouble) => {
  await trouble();
  const recovery = await begin(2);
  await until(
    () => recovery.pair.names.map((name) => bench.seen(name).runningOn[0]),
    (hosts) => hosts.every((host) => host === recovery.pair.spare),
  );
  // Whenever each of them begins to wait for Placement, its minute passes.
  const passing = setInterval(() => {
    recovery.clock.aheadMs += 20_000;
  }, 200);
  await expectRecovered(recovery, 'dead').finally(() => clearInterval(passing));
  await bench.simulator.start('placement');
  const said = steps(recovery).filter((text) => text.startsWith('Placement'));
  expect(said.toSorted()).toEqual(
    recovery.pair.names.map((name) =>
      expect.stringMatching(
        new RegExp(
          `^Placement does not count "${name}" on ${recovery.pair.spare} \\(.+\\); please correct it$`,
        ),
      ),
    ),
  );
});
