// A worker and the monitor's assignments: they are asked before every change, and without them nothing changes.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Assignments } from '../../src/shared/documents/assignments.ts';
import type { RecoverData } from '../../src/shared/documents/jobs/recover.ts';
import { EvacuationBench, type Pair } from '../support/evacuation-bench.ts';
import { until } from '../support/raw-api.ts';

let bench: EvacuationBench;
beforeAll(async () => {
  bench = await EvacuationBench.open(4);
});
afterAll(() => bench.close());

const epoch = 100;
const assign = (order: RecoverData, change: Partial<Assignments> = {}) =>
  bench.assign(order, { epoch, ...change });
const worker = () => bench.worker({ concurrency: 1, assigned: true });
const ordered = (pair: Pair) => bench.order(pair, { epoch, judgedAtMs: bench.clock.nowMs() + 3_600_000 });
const asked = ({ names }: Pair) => names.filter((name) => bench.seen(name).evacuationsStarted > 0).length;

test('another attempt is assigned: superseded, and nothing was changed', async () => {
  const pair = await bench.pair(1);
  const order = ordered(pair);
  await assign({ ...order, attempt: 2 });
  const before = bench.changes().length;
  expect(await worker().recover(order)).toMatchObject({ outcome: 'superseded', acted: false });
  expect(bench.changes()).toHaveLength(before);
  expect(await bench.redis.exists(bench.keys.lock(pair.dead))).toBe(0);
  expect(await bench.redis.get(bench.keys.openJournal(pair.dead))).toBeNull();
  // The attempt that is assigned goes on at once.
  expect(await worker().recover({ ...order, attempt: 2 })).toMatchObject({ outcome: 'done' });
});

test.each([
  ['no assignments', null],
  ['ones from before the job', { epoch: epoch - 1 }],
])(
  '%s: the job fails, nothing was changed; it is run again when the monitor wrote them',
  async (_, change) => {
    const pair = await bench.pair(1);
    const order = ordered(pair);
    if (change === null) await bench.redis.del(bench.keys.assignments);
    else await assign(order, change);
    const before = bench.changes().length;
    await expect(worker().recover(order)).rejects.toThrow("does not hold the monitor's assignment");
    expect(bench.changes()).toHaveLength(before);
    await assign(order);
    expect(await worker().recover(order)).toMatchObject({ outcome: 'done', acted: true });
  },
);

test('taken away in mid-recovery: no further request, and the next attempt ends it', async () => {
  const pair = await bench.pair(6);
  const order = ordered(pair);
  await assign(order);
  const running = worker().recover(order);
  await until(
    () => asked(pair),
    (n) => n >= 2,
  );
  const next = { ...order, attempt: 2 };
  await assign(next);
  const before = asked(pair);
  expect(await running).toMatchObject({ outcome: 'superseded', acted: true });
  expect(asked(pair)).toBeLessThanOrEqual(before + 1);
  const changes = bench.changes().length;
  await delay(300);
  expect(bench.changes()).toHaveLength(changes);
  expect(await worker().recover(next)).toMatchObject({ outcome: 'done', incident: order.incident });
  expect(pair.names.map((name) => bench.seen(name).evacuationsStarted)).toEqual(pair.names.map(() => 1));
});
