// The fence level `ceph` in a recovery, through the real client and handlers: what is said and kept, that it stands in for
// a dead BMC, and that a recovery ends when its entries are taken away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CutOffResult } from '../../src/ns4/disks/cut-off.ts';
import { RedisBystanders } from '../../src/ns4/fencing/bystanders.ts';
import type { CephFence } from '../../src/ns4/fencing/ceph-level.ts';
import { devicesOf } from '../../src/ns4/fencing/devices.ts';
import { createFencing } from '../../src/ns4/fencing/fencing.ts';
import { OperatorConfirmations } from '../../src/ns4/fencing/operator-confirmations.ts';
import type { Level } from '../../src/ns4/fencing/plan.ts';
import { RedisShots } from '../../src/ns4/fencing/shots.ts';
import { progressText } from '../../src/shared/documents/events/progress.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import { EvacuationBench, nobodysWord } from '../support/evacuation-bench.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { noKey } from '../support/trust.ts';

let bench: EvacuationBench;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-ceph-level-'));
  bench = await EvacuationBench.open(12);
});
afterAll(async () => {
  await bench.close();
  rmSync(dir, { recursive: true, force: true });
});

const log = createLog({ name: 't', verbosity: 0, destination: new PassThrough().resume() });
const ceph = (number: number): Level => ({ number, kind: 'ceph', devices: [] });
const isBlocked = { says: 'off', said: '10.2.0.1 blocked' } as const;
const isGone = { says: 'on', said: '10.2.0.1 is not blocked' } as const;

/** Fencing by these levels, and a Ceph that does as it is told. */
function fencing(levels: readonly Level[], change: Partial<CephFence> = {}) {
  const asked: string[] = [];
  const fence: CephFence = {
    async cutOff({ host, instances, beforeBlocking }): Promise<CutOffResult> {
      await beforeBlocking(['10.2.0.1']);
      asked.push(`cut off ${host} from ${instances.length} instances`);
      return { done: true, addresses: ['10.2.0.1'], atMs: bench.clock.nowMs() };
    },
    async stillCut(_host, addresses) {
      asked.push(`still cut: ${addresses?.join() ?? 'whatever it was'}`);
      return isBlocked;
    },
    ...change,
  };
  const plan = { file: 'fencing.yaml', hosts: new Map(), others: () => levels, secrets: [] };
  const made = createFencing({
    ...{ devices: devicesOf(plan, bench.clock), timeoutMs: 1_500, clock: bench.clock, log, ceph: fence },
    confirmations: new OperatorConfirmations(bench.redis, bench.keys, noKey()),
    shots: new RedisShots(bench.redis, bench.keys),
    bystanders: new RedisBystanders(bench.redis, bench.keys),
  });
  return { fencing: made, asked };
}

const stepsOf = (worker: ReturnType<EvacuationBench['worker']>) =>
  worker.heard.flatMap((f) => (f.kind === 'progress' ? [progressText(f.host, f.progress)] : []));

test('cut off is the proof, said so and kept; asked again while instances move, and not done a second time', async () => {
  const pair = await bench.pair(2);
  const { fencing: by, asked } = fencing([ceph(1)]);
  const storage = {
    whereOpen: async () => null,
    mayMove: async () => ({ kind: 'closed' as const }),
    cutOff: async () => Promise.reject(new Error('it is cut off already')),
    word: nobodysWord,
  };
  const worker = bench.worker({ fencing: by, storage });
  const report = await worker.recover(bench.order(pair));
  expect(report).toMatchObject({ outcome: 'done', acted: true });
  expect(stepsOf(worker).slice(0, 3)).toEqual([
    `${pair.dead} is being cut off from Ceph (10.2.0.1)`,
    `${pair.dead} is cut off from Ceph (ceph, level 1: 10.2.0.1 blocked, by every placement group)`,
    `${pair.dead} is forced down and disabled`,
  ]);
  expect(stepsOf(worker).join()).not.toContain('powered off');
  expect(asked[0]).toBe(`cut off ${pair.dead} from 2 instances`);
  expect(asked.slice(1)).toContain('still cut: 10.2.0.1');
  const journal = await worker.parts.journals.read(report.recovery);
  expect(journal?.proof).toMatchObject({ by: 'ceph', level: 1, addresses: ['10.2.0.1'] });
  expect(journal?.cutOff).toMatchObject({ addresses: ['10.2.0.1'] });
  // No other machine could fall silent by it.
  expect(await by.bystanders.of(pair.dead)).toBeNull();
});

test('the BMC is dead: the next level cuts it off', async () => {
  const pair = await bench.pair(1);
  const bmc = new PretendDevice(join(dir, 'dead-bmc'));
  bmc.behave('away');
  const worker = bench.worker({ fencing: fencing([bmc.level(1), ceph(2)]).fencing });
  expect(await worker.recover(bench.order(pair))).toMatchObject({ outcome: 'done' });
  expect(stepsOf(worker).find((step) => step.includes('is cut off'))).toMatch(
    /\(ceph, level 2: .+\) \(before: \S+ off-failed: /,
  );
});

test('not all of it holds: no proof, nothing is changed', async () => {
  const pair = await bench.pair(1);
  const undone = { done: false, why: 'not every placement group knows of it: osd.1 hangs' } as const;
  const worker = bench.worker({ fencing: fencing([ceph(1)], { cutOff: async () => undone }).fencing });
  expect(await worker.recover(bench.order(pair))).toMatchObject({
    ...{ outcome: 'refused', acted: false },
    refusal: {
      name: 'fence-failed',
      levels: [{ agent: 'ceph', failure: 'not-cut-off', detail: undone.why }],
    },
  });
  expect(bench.simulator.snapshot().hosts[pair.dead]).toMatchObject({ forcedDown: false });
});

test('its entries are taken away while instances move: it stops', async () => {
  const pair = await bench.pair(1);
  const { fencing: by } = fencing([ceph(1)], { stillCut: async () => isGone });
  const report = await bench.worker({ fencing: by }).recover(bench.order(pair));
  expect(report).toMatchObject({
    refusal: {
      name: 'came-back',
      evidence: 'it is not cut off from Ceph any more: 10.2.0.1 is not blocked',
    },
  });
  expect(bench.seen(pair.names[0] ?? '')).toMatchObject({ host: pair.dead, evacuationsStarted: 0 });
});

test('once cut off in an incident, and lifted by somebody since: not again, and no level after it', async () => {
  const bmc = new PretendDevice(join(dir, 'not-told'));
  let seen: typeof isBlocked | typeof isGone = isBlocked;
  const { fencing: by, asked } = fencing([ceph(1), bmc.level(2)], { stillCut: async () => seen });
  const request = {
    ...{ host: 'hv-lifted', incident: 'one', signal: new AbortController().signal, heardAtMs: null },
    ...{ instances: [], doubtedSinceMs: null, noSilence: null, right: { token: 'ours', assignment: null } },
    beforeOff: async ({ keep }: { keep(): Promise<void> }) => keep(),
  };
  expect(await by.fence(request)).toMatchObject({ proven: true, proof: { by: 'ceph' } });
  expect(await by.fence(request), 'still blocked: done again, which harms nobody').toMatchObject({
    proven: true,
  });
  seen = isGone;
  expect(await by.fence(request)).toMatchObject({ proven: false, failures: [{ failure: 'lifted' }] });
  expect(asked).toHaveLength(2);
  expect(bmc.told).toEqual([]);
  expect(await by.fence({ ...request, incident: 'another' })).toMatchObject({ proven: true });
});
