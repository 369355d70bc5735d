// Was it the right machine? Through the real client and handlers: another hypervisor falls silent as one is powered off,
// with a proof or without, seen by this worker or by its successor. Nothing is evacuated and no device of the host is
// told or believed until an operator says so.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trustByHand } from '../../src/ns4/commands/fence.ts';
import { RedisBystanders } from '../../src/ns4/fencing/bystanders.ts';
import { devicesOf } from '../../src/ns4/fencing/devices.ts';
import { createFencing, type Fencing } from '../../src/ns4/fencing/fencing.ts';
import { OperatorConfirmations } from '../../src/ns4/fencing/operator-confirmations.ts';
import type { Level } from '../../src/ns4/fencing/plan.ts';
import { RedisShots } from '../../src/ns4/fencing/shots.ts';
import type { ScanFinding } from '../../src/shared/documents/jobs/scan.ts';
import { refusalSentence } from '../../src/shared/documents/refusals/refusals.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import { EvacuationBench, never, type Pair, type Worker } from '../support/evacuation-bench.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { noKey } from '../support/trust.ts';

let bench: EvacuationBench;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-wrong-device-'));
  bench = await EvacuationBench.open(24);
});
afterAll(async () => {
  await bench.close();
  rmSync(dir, { recursive: true, force: true });
});

let devices = 0;
const device = () => new PretendDevice(join(dir, `device-${++devices}`));
const bystanders = () => new RedisBystanders(bench.redis, bench.keys);
const confirmations = () => new OperatorConfirmations(bench.redis, bench.keys, noKey());

/** `atOff` comes after everything was asked, right before the devices are told. */
function fencing(levels: readonly Level[], atOff: () => void = () => {}): Fencing {
  const log = createLog({ name: 't', verbosity: 0, destination: new PassThrough().resume() });
  const plan = { file: 'fencing.yaml', hosts: new Map(), others: () => levels, secrets: [] };
  const shots = new RedisShots(bench.redis, bench.keys);
  const kept = { confirmations: confirmations(), shots, bystanders: bystanders() };
  const inner = createFencing({
    ...{ devices: devicesOf(plan, bench.clock), ...kept, ceph: null, timeoutMs: 1_500 },
    ...{ clock: bench.clock, log },
  });
  return {
    ...inner,
    fence: (request) =>
      inner.fence({
        ...request,
        beforeOff: async (shot) => {
          await request.beforeOff(shot);
          atOff();
        },
      }),
  };
}

const silent: ScanFinding = { state: 'silent', detail: '1 port silent' };

/** A worker for whom `fallen` falls silent at the first `off`. */
function workerAt(fallen: string, levels: readonly Level[]): Worker {
  let self: Worker | null = null;
  const worker = bench.worker({ fencing: fencing(levels, () => self?.scans.set(fallen, silent)) });
  self = worker;
  return worker;
}

function expectUntouched({ dead, names }: Pair, from: number): void {
  expect(bench.changes(from).filter((r) => JSON.stringify(r).includes(dead))).toEqual([]);
  for (const name of names) expect(bench.seen(name)).toMatchObject({ host: dead, evacuationsStarted: 0 });
}

const wrongDevice = (...fell: string[]) => ({
  outcome: 'refused',
  acted: false,
  refusal: { name: 'wrong-device', fell },
});

test('somebody else falls silent: nothing moves, and no device counts until an operator gives his word', async () => {
  const pair = await bench.pair(2);
  const [bmc, pdu] = [device(), device()];
  const levels = [bmc.level(1), pdu.level(2)];
  const from = bench.simulator.requests.length;
  const worker = workerAt(bench.healthy, levels);
  const order = bench.order(pair);
  const report = await worker.recover(order);
  expect(report).toMatchObject(wrongDevice(bench.healthy));
  expect(report.refusal === null ? '' : refusalSentence(report.refusal)).toMatch(
    /^PERHAPS THE WRONG MACHINE IS OFF/,
  );
  expect((await worker.parts.journals.read(report.recovery))?.proof).toBeNull();
  const told = bmc.told.length;

  // Another worker, another incident, everybody answers again: the doubt stays, and nobody is told or asked.
  const other = bench.worker({ fencing: fencing(levels) });
  expect(await other.recover(bench.order(pair))).toMatchObject(wrongDevice(bench.healthy));
  expect([bmc.told.length, pdu.offs]).toEqual([told, 0]);
  expectUntouched(pair, from);

  // A word from before says nothing of it.
  const fellAtMs = (await bystanders().of(pair.dead))?.fell?.atMs ?? 0;
  await confirmations().record(pair.dead, { who: 'alice', atMs: fellAtMs - 1 });
  expect(await other.recover(bench.order(pair))).toMatchObject(wrongDevice(bench.healthy));
  await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
  const done = await other.recover(bench.order(pair));
  expect(done).toMatchObject({ outcome: 'done', acted: true });
  expect(bmc.told.length, 'by his word alone').toBe(told);
  expect(await bystanders().of(pair.dead), 'he said so: its devices count').toBeNull();
});

test('an operator says that the devices are right: they are told and believed again', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  expect(await workerAt(bench.healthy, [bmc.level()]).recover(bench.order(pair))).toMatchObject(
    wrongDevice(bench.healthy),
  );
  const parts = { bystanders: bystanders(), stop: never, print: () => {} };
  expect(await trustByHand(pair.dead, { yes: true }, parts)).toBe(0);
  await expect(trustByHand(pair.dead, { yes: true }, parts)).rejects.toThrow(/nothing speaks against/);
  const worker = bench.worker({ fencing: fencing([bmc.level()]) });
  expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
});

test('a failed shot that hit somebody is told as such, and no further attempt shoots', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  bmc.behave('refuses');
  const worker = workerAt(bench.healthy, [bmc.level()]);
  expect(await worker.recover(bench.order(pair))).toMatchObject(wrongDevice(bench.healthy));
  expect(await worker.recover(bench.order(pair))).toMatchObject(wrongDevice(bench.healthy));
  expect(bmc.offs).toBe(1);
});

test('one packet lost is no death: whoever is silent is asked twice', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  const worker = workerAt(bench.healthy, [bmc.level()]);
  const heard: string[] = [];
  const { scans } = worker;
  const get = scans.get.bind(scans);
  scans.get = (name) => {
    const told = get(name);
    if (name === bench.healthy && told?.state === 'silent') {
      heard.push(name);
      scans.delete(name);
    }
    return told;
  };
  expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
  expect(heard).toEqual([bench.healthy]);
});

test('nobody can tell before the shot: nobody is shot', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  const worker = bench.worker({ fencing: fencing([bmc.level()]) });
  const get = worker.scans.get.bind(worker.scans);
  // The scan of the dead one alone works.
  worker.scans.get = (name) => {
    if (name === bench.healthy) worker.scanResult = blind;
    return get(name);
  };
  const report = await worker.recover(bench.order(pair));
  expect(report).toMatchObject({ outcome: 'refused', refusal: { name: 'scanner-blind' } });
  expect(bmc.offs).toBe(0);
});

const blind = { ok: true, outcome: 'blind', targets: {}, controls: {}, tookMs: 0 } as const;

test('nobody can tell after the shot: the next attempt looks before anything rests on the proof', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  let self: Worker | null = null;
  const worker = bench.worker({
    fencing: fencing([bmc.level()], () => {
      if (self !== null) self.scanResult = blind;
    }),
  });
  self = worker;
  const order = bench.order(pair);
  expect(await worker.recover(order)).toMatchObject({ refusal: { name: 'scanner-blind' } });
  worker.scanResult = null;
  worker.scans.set(bench.healthy, silent);
  const again = { ...bench.order(pair), incident: order.incident };
  expect(await worker.recover(again)).toMatchObject(wrongDevice(bench.healthy));
  expect(bmc.offs).toBe(1);
});

test('a worker that is lost right after the proof leaves it to its successor to look', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  const gone = new AbortController();
  const inner = fencing([bmc.level()]);
  const first = bench.worker({
    fencing: {
      ...inner,
      kept: async () => {
        gone.abort(new Error('lost'));
        gone.signal.throwIfAborted();
      },
    },
  });
  const order = bench.order(pair);
  expect(await first.recover(order, gone.signal)).toMatchObject({ outcome: 'handed-back' });
  expect((await first.parts.journals.read(order.recovery))?.proof).not.toBeNull();
  expect((await first.parts.journals.read(order.recovery))?.noneFellAtMs).toBeNull();
  const next = bench.worker({ fencing: fencing([bmc.level()]) });
  next.scans.set(bench.healthy, silent);
  expect(await next.recover({ ...order, attempt: 2 })).toMatchObject(wrongDevice(bench.healthy));
  expect(bmc.offs).toBe(1);
});

test('Redis forgot who answered: whoever has heartbeats still, and is silent, fell', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  const gone = new AbortController();
  const inner = fencing([bmc.level()]);
  const kept = async () => {
    gone.abort(new Error('lost'));
    gone.signal.throwIfAborted();
  };
  const order = bench.order(pair);
  await bench.worker({ fencing: { ...inner, kept } }).recover(order, gone.signal);
  await bystanders().forget(pair.dead);
  const next = bench.worker({ fencing: fencing([bmc.level()]) });
  next.scans.set(bench.healthy, silent);
  const report = await next.recover({ ...order, attempt: 2 });
  expect(report).toMatchObject({ refusal: { name: 'wrong-device' } });
});

test('an operator who gave his word before: his is the proof where the devices give none, and nobody is scanned', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  bmc.behave('refuses');
  await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
  const worker = workerAt(bench.healthy, [bmc.level()]);
  expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
  expect(await bystanders().of(pair.dead)).toBeNull();
});

test('what cannot be read in Redis is no trust: refused at once, and nobody is shot', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  await bench.redis.set(bench.keys.fenceBystanders(pair.dead), '{"incident": 1}');
  await expect(bystanders().of(pair.dead)).rejects.toThrow(
    `fence-bystanders:${pair.dead} in Redis cannot be read`,
  );
  const worker = workerAt(bench.healthy, [bmc.level()]);
  expect(await worker.recover(bench.order(pair))).toMatchObject({
    outcome: 'refused',
    refusal: { name: 'journal-not-believed', document: { what: 'bystanders', why: 'not-understood' } },
  });
  expect(bmc.offs).toBe(0);
});

test('nobody could tell after the shot, and the incident ended: the next one looks before it shoots', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  let self: Worker | null = null;
  const worker = bench.worker({
    fencing: fencing([bmc.level()], () => {
      if (self !== null) self.scanResult = blind;
    }),
  });
  self = worker;
  expect(await worker.recover(bench.order(pair))).toMatchObject({ refusal: { name: 'scanner-blind' } });
  worker.scanResult = null;
  worker.scans.set(bench.healthy, silent);
  expect(await worker.recover(bench.order(pair))).toMatchObject(wrongDevice(bench.healthy));
  expect(bmc.offs).toBe(1);
});

test.each(['shown', 'told again'] as const)(
  'a device that obeys late: who fell silent since the failed shot is missed (%s)',
  async (how) => {
    const pair = await bench.pair(1);
    const bmc = device();
    bmc.behave(how === 'shown' ? 'pretends' : 'away');
    const from = bench.simulator.requests.length;
    const worker = bench.worker({ fencing: fencing([bmc.level()]) });
    const order = bench.order(pair);
    expect(await worker.recover(order)).toMatchObject({ refusal: { name: 'fence-failed' } });
    bmc.behave('honest');
    bmc.power('off');
    worker.scans.set(bench.healthy, silent);
    const again = { ...bench.order(pair), incident: order.incident };
    expect(await worker.recover(again)).toMatchObject(wrongDevice(bench.healthy));
    expect(bmc.offs).toBe(how === 'shown' ? 1 : 2);
    expectUntouched(pair, from);
  },
);

test('an operator says that it is off after a failed shot: nobody is missed for it', async () => {
  const pair = await bench.pair(1);
  const bmc = device();
  bmc.behave('away');
  const worker = bench.worker({ fencing: fencing([bmc.level()]) });
  const order = bench.order(pair);
  expect(await worker.recover(order)).toMatchObject({ refusal: { name: 'fence-failed' } });
  worker.scans.set(bench.healthy, silent);
  await confirmations().record(pair.dead, { who: 'alice', atMs: bench.clock.nowMs() });
  const again = { ...bench.order(pair), incident: order.incident };
  expect(await worker.recover(again)).toMatchObject({ outcome: 'done' });
  expect(await bystanders().of(pair.dead)).toBeNull();
});
