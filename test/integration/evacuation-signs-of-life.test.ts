// Signs of life while instances move, through the real client and handlers: the device that gave the proof, and the
// guests that are still to be moved, are asked again and again; guests before the first change as well.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisBystanders } from '../../src/ns4/fencing/bystanders.ts';
import { devicesOf } from '../../src/ns4/fencing/devices.ts';
import { createFencing, type Fencing } from '../../src/ns4/fencing/fencing.ts';
import { OperatorConfirmations } from '../../src/ns4/fencing/operator-confirmations.ts';
import { RedisShots } from '../../src/ns4/fencing/shots.ts';
import { endedText } from '../../src/shared/documents/events/report-text.ts';
import type { RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import {
  EvacuationBench,
  type Pair,
  SteadyClock,
  type Worker,
  type WorkerOptions,
} from '../support/evacuation-bench.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { noKey } from '../support/trust.ts';

let bench: EvacuationBench;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-signs-'));
  bench = await EvacuationBench.open(9);
});
afterAll(async () => {
  await bench.close();
  rmSync(dir, { recursive: true, force: true });
});

let devices = 0;
const device = () => new PretendDevice(join(dir, `device-${++devices}`));

function fencing(bmc: PretendDevice): Fencing {
  const log = createLog({ name: 't', verbosity: 0, destination: new PassThrough().resume() });
  const plan = { file: 'fencing.yaml', hosts: new Map(), others: () => [bmc.level()], secrets: [] };
  const confirmations = new OperatorConfirmations(bench.redis, bench.keys, noKey());
  const shots = new RedisShots(bench.redis, bench.keys);
  const bystanders = new RedisBystanders(bench.redis, bench.keys);
  const kept = { confirmations, shots, bystanders };
  return createFencing({
    ...{ devices: devicesOf(plan, bench.clock), ...kept, ceph: null, timeoutMs: 3_000 },
    ...{ clock: bench.clock, log },
  });
}

const idOf = (name: string | undefined): string => bench.seen(name ?? '').id;
const isMoved = ({ spare, names }: Pair) => names.filter((name) => bench.seen(name).host === spare);

/** One instance after the other; when the first one is back `happens`, and every answer is old. */
async function halfWay(
  pair: Pair,
  options: WorkerOptions,
  happens: (worker: Worker) => void,
): Promise<{ report: RecoveryReport; worker: Worker }> {
  const clock = new SteadyClock(bench.clock.aheadMs);
  const worker = bench.worker({ concurrency: 1, clock, ...options });
  const running = worker.recover(bench.order(pair));
  while (isMoved(pair).length === 0) await delay(5);
  happens(worker);
  clock.passedMs += 21_000;
  return { report: await running, worker };
}

const stays = { state: 'answers', detail: '192.0.2.7:22 open' } as const;

describe('half-way', () => {
  test('regression A4: the host gets power again, and only its device shows it', async () => {
    const pair = await bench.pair(6);
    const bmc = device();
    const { report } = await halfWay(pair, { fencing: fencing(bmc) }, () => bmc.power('on'));
    expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back' } });
    expect(endedText(report)).toMatch(/fence_pretend1, level 1, which proved it off, says that it is on/);
    expect(endedText(report)).toContain(`may run TWICE: "${pair.names[0]}"`);
    expect(isMoved(pair).length).toBeLessThan(6);
    expect(bmc.offs, 'it is not shot again by this recovery').toBe(1);
  });

  test('a device that does not answer says nothing new: the proof has its time', async () => {
    const pair = await bench.pair(4);
    const bmc = device();
    const { report } = await halfWay(pair, { fencing: fencing(bmc) }, () => bmc.behave('away'));
    expect(report).toMatchObject({ outcome: 'done' });
    expect(isMoved(pair)).toEqual(pair.names);
    expect(bmc.told.filter(({ action }) => action === 'status').length).toBeGreaterThan(1);
  });

  test('regression: nothing is asked for any more, the last one is waited for, and the host is back', async () => {
    const pair = await bench.pair({ fine: {}, stuck: { trouble: ['sticks'] } });
    const clock = new SteadyClock(bench.clock.aheadMs);
    const worker = bench.worker({ clock });
    const running = worker.recover(bench.order(pair));
    while (isMoved(pair).length === 0) await delay(5);
    worker.scans.set(pair.dead, stays);
    // One look begins, the next one knows what came of it.
    const time = setInterval(() => {
      clock.passedMs += 16_000;
    }, 300);
    const report = await running.finally(() => clearInterval(time));
    expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back' } });
    expect(endedText(report)).toContain(`"${pair.dead}-fine"`);
    expect(endedText(report)).toContain('may run TWICE');
  });

  test('regression B5: an instance that is still to be moved answers', async () => {
    const pair = await bench.pair(6);
    const last = idOf(pair.names.at(-1));
    const { report } = await halfWay(pair, {}, (worker) => worker.scans.set(last, stays));
    expect(report).toMatchObject({ outcome: 'stopped', refusal: { name: 'came-back' } });
    expect(endedText(report)).toContain(`its instance "${pair.names.at(-1)}" answers (192.0.2.7:22 open)`);
    expect(isMoved(pair).length).toBeLessThan(6);
  });

  test('an instance that was asked for answers from its target, and that is no sign of life', async () => {
    const pair = await bench.pair(3);
    const first = idOf(pair.names[0]);
    const { report } = await halfWay(pair, {}, (worker) => worker.scans.set(first, stays));
    expect(report).toMatchObject({ outcome: 'done', refusal: null });
    expect(isMoved(pair)).toEqual(pair.names);
  });

  test('although its host is proven off one answers: it is left alone, aloud, and the others move', async () => {
    const pair = await bench.pair(4);
    const name = pair.names.at(-1) ?? '';
    const { report, worker } = await halfWay(pair, { fencing: fencing(device()) }, (w) =>
      w.scans.set(idOf(name), stays),
    );
    expect(report.outcome).toBe('done');
    expect(report.instances.find((i) => i.name === name)).toMatchObject({
      outcome: 'skipped',
      why: 'it answers (192.0.2.7:22 open), although its host is off by fence_pretend1, level 1',
    });
    expect(bench.seen(name)).toMatchObject({ host: pair.dead, evacuationsStarted: 0 });
    expect(isMoved(pair)).toEqual(pair.names.filter((other) => other !== name));
    expect(worker.heard).toContainEqual(
      expect.objectContaining({
        kind: 'progress',
        progress: { step: 'guests-answer', instances: [name], by: 'fence_pretend1, level 1' },
      }),
    );
  });

  test('it comes on while the last ones move: who was moved since is named, and it does not end well', async () => {
    const pair = await bench.pair(2);
    const worker = bench.worker();
    const running = worker.recover(bench.order(pair));
    while (bench.seen(pair.names[0] ?? '').evacuationsStarted === 0) await delay(2);
    worker.scans.set(pair.dead, { state: 'answers', detail: 'port 22 open' });
    const report = await running;
    expect(report).toMatchObject({ outcome: 'done', lifeAtEnd: { evidence: 'port 22 open' } });
    expect(report.lifeAtEnd?.since.sort()).toEqual([...pair.names].sort());
    expect((await worker.parts.journals.read(report.recovery))?.lifeAtEnd).toEqual(report.lifeAtEnd);
  });
});

describe('before the first change', () => {
  test('regression B4: by hand against answering instances, nothing is changed', async () => {
    const pair = await bench.pair(2);
    const from = bench.simulator.requests.length;
    const worker = bench.worker();
    worker.scans.set(idOf(pair.names[0]), stays);
    const report = await worker.recover(bench.order(pair, { byHand: true }));
    expect(report).toMatchObject({ outcome: 'refused', acted: false });
    expect(report.refusal).toEqual({
      ...{ name: 'guests-answer', host: pair.dead, answering: [`"${pair.names[0]}"`], silent: 1 },
    });
    expect(bench.changes(from)).toEqual([]);
  });

  test('with the word that they are elsewhere they are not asked, then or later', async () => {
    const pair = await bench.pair(2);
    const order = bench.order(pair, { byHand: true, despite: ['guests-answer'] });
    const worker = bench.worker();
    worker.scans.set(idOf(pair.names[0]), stays);
    expect(await worker.recover(order)).toMatchObject({ outcome: 'done', refusal: null });
    expect(isMoved(pair)).toEqual(pair.names);
  });
});
