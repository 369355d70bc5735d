// The port `Storage` over a real Ceph: what is answered when writers live, freeze, die, are cut off and blocked, and while
// OSDs or the monitor hang.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Ceph } from '../../src/ns4/ceph/ceph.ts';
import type { AskedImage } from '../../src/ns4/storage/storage.ts';
import { cephClient } from '../support/ceph-client.ts';
import { cephLab, lab, labAccess, labAtPeace, labUser, openMany } from '../support/ceph-lab.ts';
import { documentedCaps } from '../support/documented-caps.ts';

const hv01 = '127.0.61.1';
const hv02 = '127.0.61.2';
const limits = { timeoutMs: 3_000 };
/** For what takes the monitors a second or two, on a busy machine. */
const longer = { timeoutMs: 15_000 };
const year = 31_536_000;

describe.skipIf(cephLab === undefined)('a real Ceph', () => {
  let ceph: Ceph;
  let round = 0;
  let image: string;
  let writer: string;
  beforeAll(async () => {
    ceph = cephClient(await labAccess());
  });
  beforeEach(() => {
    // A client that was blocked or killed keeps lock and watch for a while: each test has images of its own.
    round += 1;
    writer = `w${process.pid}-${round}`;
    image = `vms/${writer}_disk`;
  });
  afterEach(async () => {
    await labAtPeace([writer, `${writer}b`], [hv01]);
    await ceph.unblock([hv01, hv02], longer);
  });
  afterAll(() => ceph?.close());

  const begin = (address: string, name = writer) =>
    lab('guest', 'start', address, image, '--name', name, '--wait', '40');
  const asked = async (): Promise<AskedImage | undefined> => (await ceph.ask([image], limits)).get(image);
  const by = (address: string, answered: boolean) => ({
    kind: 'asked',
    openers: [expect.objectContaining({ address, answered })],
  });

  test('what is there, and that its user may do what it will have to', async () => {
    const facts = await ceph.facts(longer);
    expect(facts).toMatchObject({ kind: 'known', version: expect.stringContaining('ceph version') });
    expect(facts).toMatchObject({ problems: [], pools: [{ name: 'vms' }, { name: 'volumes' }] });
  });

  test('what its user may not do, and what is not there', async () => {
    const weak = cephClient({ ...(await labAccess('client.looker')), pools: ['vms', 'images', 'none'] });
    expect(await weak.facts(longer)).toMatchObject({
      pools: [{ name: 'vms' }, { name: 'images' }],
      problems: [
        'pool images: Ceph does not permit it: its user lacks caps',
        'there is no pool none',
        expect.stringContaining('osd blocklist: access denied'),
      ],
    });
    expect(await weak.block(['192.0.2.1'], 60, longer)).toMatchObject({ kind: 'cannot-tell' });
    expect(await weak.barrier(longer)).toMatchObject({ reason: 'there is no pool none' });
    await weak.close();
  });

  test('who lives answers, with its address; who is frozen is silent within two seconds', async () => {
    await begin(hv01);
    expect(await asked()).toEqual(by(hv01, true));
    const client = { kind: 'known', clients: [expect.objectContaining({ address: hv01 })] };
    expect((await ceph.watchers([image], limits)).get(image)).toEqual(client);
    expect((await ceph.locks([image], limits)).get(image)).toEqual(client);
    await lab('guest', 'freeze', writer);
    const before = performance.now();
    expect(await asked()).toEqual(by(hv01, false));
    expect(performance.now() - before).toBeLessThan(2_000);
    await lab('guest', 'thaw', writer);
    expect(await asked()).toEqual(by(hv01, true));
  });

  test('who is cut off is silent, and answers when mended; who is killed is silent, and its lock stays', async () => {
    await begin(hv01);
    await lab('cut', hv01);
    expect(await asked()).toEqual(by(hv01, false));
    await lab('mend', hv01);
    await vi.waitFor(async () => expect(await asked()).toEqual(by(hv01, true)), 60_000);
    await lab('guest', 'kill', writer);
    expect(await asked()).toEqual(by(hv01, false));
    expect((await ceph.locks([image], limits)).get(image)).toMatchObject({ clients: [{ address: hv01 }] });
  });

  test('who closed in order is gone; an image that is not there is absent; a pool that is not is a mistake', async () => {
    await begin(hv01);
    await lab('guest', 'stop', writer);
    const names = [image, 'vms/none_disk', 'none/x'];
    const found = await ceph.ask(names, limits);
    expect([...found.values()]).toEqual([
      { kind: 'asked', openers: [] },
      { kind: 'absent' },
      { kind: 'cannot-tell', reason: 'there is no pool none' },
    ]);
    for (const list of [ceph.watchers(names, limits), ceph.locks(names, limits)])
      expect([...(await list).values()].map(({ kind }) => kind)).toEqual(['known', 'absent', 'cannot-tell']);
  });

  describe('a clone, as Nova makes them of an image of Glance', () => {
    let dir: string;
    const parent = `images/glance-${process.pid}`;
    const { mon, osd } = documentedCaps('docs/ceph.md');
    const without = osd.split(', ').filter((cap) => !cap.includes('pool=images '));
    const read = async (user: string, its: string) => {
      const as = cephClient(await labUser(user, mon, its, dir));
      try {
        const [openers, watchers, locks] = await Promise.all([
          as.ask([image], longer),
          as.watchers([image], longer),
          as.locks([image], longer),
        ]);
        return [openers, watchers, locks].map((found) => found.get(image));
      } finally {
        await as.close();
      }
    };
    const client = { kind: 'known', clients: [expect.objectContaining({ address: hv01 })] };
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'sonny-ceph-'));
      await lab('image', parent, '--size', '16');
      await lab('rbd', 'snap', 'create', '--no-progress', `${parent}@snap`);
      await lab('rbd', 'snap', 'protect', `${parent}@snap`);
    });
    beforeEach(async () => {
      await lab('rbd', 'clone', `${parent}@snap`, image);
      // The image has few objects: so has the writer.
      await lab('guest', 'start', hv01, image, '--name', writer, '--slots', '4', '--wait', '40');
    });

    afterAll(() => rmSync(dir, { recursive: true }));

    test('with the caps to copy all of the self-check can be read', async () => {
      expect(await read('client.documented', osd)).toEqual([by(hv01, true), client, client]);
    });

    test("without those of its parent's pool nobody may read who has it open", async () => {
      const reason = 'Ceph does not permit it: its user lacks caps';
      const refused = { kind: 'cannot-tell', reason, denied: true };
      const found = await read('client.childless', without.join(', '));
      expect(found).toEqual([by(hv01, true), refused, client]);
    });
  });

  test('an image that is open twice has two openers, each with its own address', async () => {
    await begin(hv01);
    await begin(hv02, `${writer}b`);
    const found = await asked();
    const openers = found?.kind === 'asked' ? found.openers : [];
    expect(openers.map(({ address, answered }) => [address, answered]).toSorted()).toEqual([
      [hv01, true],
      [hv02, true],
    ]);
  });

  test('blocked, and through the barrier: nobody has it open, and the writer is refused', async () => {
    await begin(hv01);
    expect(await ceph.block([hv01, '127.0.61.9', 'fd00::5'], year, longer)).toEqual({ kind: 'done' });
    expect(await ceph.barrier(longer)).toMatchObject({ kind: 'passed', placementGroups: 64 });
    const atMs = Date.now();
    const list = await ceph.blocklist(longer);
    const entries = list.kind === 'listed' ? list.entries : [];
    for (const entry of [`${hv01}:0/0`, '127.0.61.9:0/0', '[fd00::5]:0/0'])
      expect(entries.find((e) => e.entry === entry)?.expiresAtMs).toBeGreaterThan(atMs + (year - 60) * 1_000);
    await vi.waitFor(async () => expect(await asked()).toEqual({ kind: 'asked', openers: [] }), 5_000);
    await vi.waitFor(async () => expect(await lab('guest', 'log', writer)).toContain('"err"'), 10_000);
    const log = (await lab('guest', 'log', writer)).trim().split('\n');
    const writes = log.map((line) => JSON.parse(line)).filter((line) => line.ok === 1);
    // An answer may have been on its way, and the writer's Python may have been slow.
    expect(writes.at(-1).t1 * 1_000).toBeLessThan(atMs + 50);
    expect(await ceph.unblock([hv01, '127.0.61.9', 'fd00::5'], longer)).toEqual({ kind: 'done' });
    expect(await ceph.unblock([hv01], longer)).toEqual({ kind: 'done' });
  });

  test('while OSDs hang nobody can tell, in time, and afterwards it goes on', async () => {
    await begin(hv01);
    for (const osd of ['0', '1', '2']) await lab('osd', 'freeze', osd);
    const before = performance.now();
    const answers = await Promise.all([
      asked(),
      ceph.locks([image], limits).then((found) => found.get(image)),
      ceph.watchers([image], limits).then((found) => found.get(image)),
      ceph.barrier(limits),
    ]);
    expect(performance.now() - before).toBeLessThan(limits.timeoutMs + 500);
    expect(answers.map((answer) => answer?.kind)).toEqual(Array(4).fill('cannot-tell'));
    for (const osd of ['0', '1', '2']) await lab('osd', 'thaw', osd);
    await vi.waitFor(async () => expect(await asked()).toEqual(by(hv01, true)), 30_000);
    expect(await ceph.barrier(longer)).toMatchObject({ kind: 'passed' });
  });

  test('one OSD hangs: no barrier', async () => {
    await lab('osd', 'freeze', '1');
    expect(await ceph.barrier(limits)).toMatchObject({
      kind: 'cannot-tell',
      reason: expect.stringMatching(/^\d+ of 64 placement groups do not answer, the first is /),
    });
  });

  test('while the monitor hangs openers can be asked; nothing is blocked, and there is no barrier', async () => {
    await begin(hv01);
    expect(await asked()).toEqual(by(hv01, true));
    await lab('mon', 'freeze', 'a');
    expect(await asked()).toEqual(by(hv01, true));
    const cannot = { kind: 'cannot-tell', reason: 'no answer of Ceph in time' };
    expect(await ceph.barrier(limits)).toEqual(cannot);
    expect(await ceph.block([hv02], 60, limits)).toEqual(cannot);
    expect(await ceph.blocklist(limits)).toEqual(cannot);
  });

  test('200 images at once, of openers nobody knows yet', async () => {
    const many = await openMany(hv02, 200);
    try {
      const tookMs: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        const before = performance.now();
        const found = await ceph.ask(many.images, limits);
        tookMs.push(Math.round(performance.now() - before));
        for (const name of many.images) expect(found.get(name)).toEqual(by(hv02, true));
      }
      process.stdout.write(`200 images asked at once: ${tookMs.join(', ')} ms\n`);
      expect(Math.min(...tookMs)).toBeLessThan(1_000);
    } finally {
      await many.close();
    }
  });
});
