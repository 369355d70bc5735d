// Disks as a scan asks them: all images of all instances at once, those that are silent once more two seconds later.
import { describe, expect, test } from 'vitest';
import { Disks } from '../../../../src/ns4/disks/disks.ts';
import type { Answered } from '../../../../src/ns4/disks/opened-store.ts';
import { type AskedImage, cannotTell, type Storage } from '../../../../src/ns4/storage/storage.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { disksTarget } from '../../../../src/shared/rules/disks.ts';
import { hypervisor, inventory, nowMs, server } from '../../../support/inventories.ts';

const servers = [server('vm1', 'hv01'), server('vm2', 'hv01', { volumes: ['v2'] }), server('vm9', 'hv02')];
const open = (address: string, answered = true): AskedImage => ({
  kind: 'asked',
  openers: [{ client: 'client.1', cookie: '1', address, answered }],
});
const closed: AskedImage = { kind: 'asked', openers: [] };
const absent: AskedImage = { kind: 'absent' };

function lab(answer: (image: string, ask: number) => AskedImage) {
  const asks: { readonly atMs: number; readonly images: readonly string[] }[] = [];
  let steadyMs = 0;
  const storage: Pick<Storage, 'ask'> = {
    async ask(images) {
      const round = asks.filter((one) => one.images[0] === images[0]).length + 1;
      asks.push({ atMs: steadyMs, images });
      return new Map(images.map((image) => [image, answer(image, round)]));
    },
  };
  const answered = (host: string, ...images: string[]): Answered => ({ host, atMs: nowMs - 100_000, images });
  const known = new Map([
    ['id-vm1', answered('hv01', 'vms/id-vm1_disk')],
    ['id-vm2', answered('hv01', 'volumes/volume-v2')],
  ]);
  const { hosts, servers: list } = inventory({
    hypervisors: [hypervisor('hv01'), hypervisor('hv02')],
    servers,
  });
  const disks = new Disks({
    storage,
    pools: ['vms', 'volumes'],
    store: {
      of: async () => known,
      elsewhere: async () => [answered('hv02', 'vms/id-vm9_disk')],
      addresses: async () =>
        ['1', '2'].map((n) => ({ host: `hv0${n}`, address: `10.2.0.${n}`, firstMs: nowMs, lastMs: nowMs })),
    },
    inventory: { read: async () => Picture.of(hosts, list) },
    clock: {
      nowMs: () => nowMs,
      steadyMs: () => steadyMs,
      sleep: async (ms) => {
        steadyMs += ms;
      },
    },
  });
  return { disks, asks };
}
const stop = new AbortController().signal;

describe('as a target of a scan', () => {
  const names = ['vms/id-vm1_disk', 'volumes/id-vm1_disk', 'vms/id-vm2_disk', 'volumes/id-vm2_disk'];

  test('all names that the images may have, and one of another hypervisor', async () => {
    const { disks, asks } = lab((image) => (image.includes('vm9') ? open('10.2.0.2') : open('10.2.0.1')));
    expect(await disks.look(disksTarget('hv01'), stop)).toMatchObject({ state: 'answers' });
    expect(asks.map(({ images }) => [...images])).toEqual([
      [...names, 'vms/volume-v2', 'volumes/volume-v2'],
      ['vms/id-vm9_disk'],
    ]);
  });

  test('silent: asked again two seconds later', async () => {
    const { disks, asks } = lab((image) => (image.includes('vm9') ? open('10.2.0.2') : closed));
    expect(await disks.look(disksTarget('hv01'), stop)).toMatchObject({ state: 'silent' });
    expect(asks.map(({ atMs }) => atMs)).toEqual([0, 0, 2_000, 2_000]);
  });

  test('one that answers only the second time lives: its connection had just been lost', async () => {
    const { disks } = lab((image, ask) =>
      image.includes('vm9') ? open('10.2.0.2') : ask === 1 ? open('10.2.0.1', false) : open('10.2.0.1'),
    );
    expect(await disks.look(disksTarget('hv01'), stop)).toMatchObject({ state: 'answers' });
  });

  test('only those that are named', async () => {
    const { disks, asks } = lab(() => absent);
    await disks.look(disksTarget('hv01', ['id-vm2']), stop);
    expect(asks[0]?.images).toEqual([...names.slice(2), 'vms/volume-v2', 'volumes/volume-v2']);
  });

  test('Ceph is away: unknown, with its reason', async () => {
    const { disks } = lab(() => cannotTell('the monitors do not answer'));
    expect(await disks.look(disksTarget('hv01'), stop)).toEqual({
      state: 'unknown',
      detail: '"vm1": the monitors do not answer',
    });
  });
});

test.each<[string, AskedImage, object]>([
  ['nobody', closed, { kind: 'closed' }],
  ['a frozen owner', open('10.2.0.1', false), { kind: 'closed' }],
  ['its host', open('10.2.0.1'), { kind: 'open', on: '10.2.0.1', isOwn: true }],
  ['somebody unknown', open('10.2.0.9'), { kind: 'open', on: '10.2.0.9', isOwn: false }],
  ['another hypervisor', open('10.2.0.2'), { kind: 'elsewhere', hosts: ['hv02'] }],
  ['Ceph does not say', cannotTell('it hangs'), { kind: 'cannot-tell', why: 'it hangs' }],
])('before its request: it is open by %s', async (_, answer, expected) => {
  const { disks } = lab(() => answer);
  expect(await disks.mayMove({ id: 'id-vm1', volumes: [], bootsFromImage: true }, 'hv01', stop)).toEqual(
    expected,
  );
});

test.each<[string, AskedImage, string | null]>([
  ['nobody', closed, 'nobody who answers has its disks open'],
  ['a frozen owner', open('10.2.0.1', false), 'nobody who answers has its disks open'],
  ['not on this Ceph', absent, null],
  ['another hypervisor', open('10.2.0.2'), 'its disks are open at hv02 (10.2.0.2)'],
  ['somebody unknown', open('10.2.0.9'), 'its disks are open at 10.2.0.9'],
  [
    'both ends of a migration',
    {
      kind: 'asked',
      openers: ['10.2.0.1', '10.2.0.9', '10.2.0.9'].map((address, n) => ({
        ...{ client: `client.${n}`, cookie: '1', address, answered: true },
      })),
    },
    'its disks are open at hv01 (10.2.0.1), 10.2.0.9',
  ],
  ['Ceph does not say', cannotTell('it hangs'), 'where its disks are open cannot be told: it hangs'],
])('left alone: it is told that it is open by %s', async (_, answer, expected) => {
  const { disks } = lab(() => answer);
  expect(await disks.whereOpen({ id: 'id-vm1', volumes: [] }, stop)).toBe(expected);
});

const local =
  'its disk is on none of these pools (vms, volumes): an evacuation would make it anew from its image';
test.each<[string, Record<string, AskedImage>, string[], boolean | null, object]>([
  ['a disk on its host', {}, [], true, { kind: 'absent', why: local }],
  ['and a volume on Ceph', { 'volumes/volume-v1': closed }, ['v1'], true, { kind: 'absent', why: local }],
  ['nothing told of its image, and no volume', {}, [], null, { kind: 'absent', why: local }],
  ['its disk on Ceph', { 'vms/id-vm1_disk': closed }, [], true, { kind: 'closed' }],
  ['its disk in the last of the pools', { 'volumes/id-vm1_disk': closed }, [], true, { kind: 'closed' }],
  ['a volume that it boots from', { 'volumes/volume-v1': closed }, ['v1'], false, { kind: 'closed' }],
  ['a volume that is elsewhere', {}, ['v1'], false, { kind: 'closed' }],
  ['a volume, and nothing told of its image', {}, ['v1'], null, { kind: 'closed' }],
  [
    'a pool that cannot be asked: that is no absence',
    { 'volumes/id-vm1_disk': cannotTell('osd.1 hangs') },
    [],
    true,
    { kind: 'cannot-tell', why: 'osd.1 hangs' },
  ],
  [
    'a volume that is open',
    { 'vms/volume-v1': open('10.2.0.1') },
    ['v1'],
    true,
    { kind: 'open', on: '10.2.0.1', isOwn: true },
  ],
])('before its request, an instance with %s', async (_, there, volumes, bootsFromImage, expected) => {
  const { disks } = lab((image) => there[image] ?? absent);
  expect(await disks.mayMove({ id: 'id-vm1', volumes, bootsFromImage }, 'hv01', stop)).toEqual(expected);
});
