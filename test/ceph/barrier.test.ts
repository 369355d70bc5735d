// The barrier against writers that are at work: whatever they had under way, no block of their images changes once it was
// passed. They live on, refused, until all blocks have been looked at once more: after the barrier of the next round.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ceph } from '../../src/ns4/ceph/ceph.ts';
import { BlockReader, type Blocks, Writers } from '../support/ceph-blocks.ts';
import { cephClient } from '../support/ceph-client.ts';
import { cephLab, labAccess } from '../support/ceph-lab.ts';

const rounds = Number(process.env.ROUNDS ?? 10);
const longer = { timeoutMs: 30_000 };
const year = 31_536_000;
const writersPerRound = 3;
/** From a barrier to the second look, at least. */
const laterMs = 2_000;
/** In turn. */
const addresses = ['127.0.61.51', '127.0.61.52'];

interface Barred {
  readonly number: number;
  readonly writers: Writers;
  readonly images: readonly string[];
  /** Right after the barrier. */
  readonly blocks: Blocks;
  /** Since the epoch. */
  readonly atMs: number;
}

const changesOf = (then: Blocks, now: Blocks): string[] =>
  Object.entries(now).flatMap(([image, blocks]) =>
    blocks.flatMap((block, place) => {
      const before = then[image]?.[place];
      return block === before ? [] : [`block ${place} of ${image}: "${before}" became "${block}"`];
    }),
  );

describe.skipIf(cephLab === undefined)('the barrier', () => {
  let ceph: Ceph;
  let reader: BlockReader;
  let hypervisors: Writers[] = [];
  const seen = { writes: 0, blocks: 0, afterMs: [] as number[], barrierMs: [] as number[] };

  beforeAll(async () => {
    ceph = cephClient(await labAccess());
    reader = await BlockReader.start();
    hypervisors = await Promise.all(addresses.map((address) => Writers.on(address)));
  });
  afterAll(async () => {
    await Promise.all([...hypervisors, ...(reader === undefined ? [] : [reader])].map((one) => one.close()));
    await ceph?.unblock(addresses, longer);
    await ceph?.close();
  });

  /** Three writers begin, and are blocked while they write. */
  async function bar(number: number): Promise<Barred> {
    const writers = hypervisors[number % hypervisors.length] as Writers;
    const images = Array.from({ length: writersPerRound }, (_, i) => `b${process.pid}-${number}-${i}_disk`);
    await writers.begin(images);
    await reader.meet(images);
    const before = await reader.look(images);
    expect(await ceph.block([writers.address], year, longer)).toEqual({ kind: 'done' });
    const barrier = await ceph.barrier(longer);
    const atMs = Date.now();
    const blocks = await reader.look(images);
    if (barrier.kind !== 'passed') throw new Error(`no barrier: ${barrier.reason}`);
    for (const image of images) expect(blocks[image], 'its writer was idle').not.toEqual(before[image]);
    seen.blocks += Object.values(blocks).flat().length;
    seen.barrierMs.push(barrier.tookMs);
    return { number, writers, images, blocks, atMs };
  }

  /** Some seconds later. */
  async function judge({ number, writers, images, blocks, atMs }: Barred): Promise<void> {
    await delay(Math.max(0, atMs + laterMs - Date.now()));
    const afterMs = Date.now() - atMs;
    const changes = changesOf(blocks, await reader.look(images));
    expect(changes, `round ${number}, ${afterMs} ms after the barrier`).toEqual([]);
    seen.afterMs.push(afterMs);
    for (const { writes, refused, lastBegunAtMs, why } of await writers.end()) {
      expect(refused).toBeGreaterThan(0);
      expect(why).toMatch(/108|shutdown/i);
      expect(lastBegunAtMs, `a write of round ${number} that was begun after the barrier`).toBeLessThan(atMs);
      seen.writes += writes;
    }
    await Promise.all([ceph.unblock([writers.address], longer), reader.forget(images)]);
  }

  test(`${rounds} rounds of the barrier against three writers: nothing changed after it`, {
    timeout: 120_000 + rounds * 20_000,
  }, async () => {
    let last = await bar(1);
    for (let number = 2; number <= rounds; number += 1) {
      const next = await bar(number);
      await judge(last);
      last = next;
    }
    await judge(last);
    const median = seen.barrierMs.toSorted((a, b) => a - b)[Math.floor(rounds / 2)];
    const [soonest, latest] = [Math.min(...seen.afterMs), Math.max(...seen.afterMs)];
    process.stdout.write(
      `${rounds} rounds, ${seen.writes} writes, the barrier in ${median} ms (median), ${Math.max(...seen.barrierMs)} at most; ` +
        `${seen.blocks} blocks looked at right after it and ${soonest} to ${latest} ms later: none changed\n`,
    );
  });
});
