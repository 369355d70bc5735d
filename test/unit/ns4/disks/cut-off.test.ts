// Cutting off: blocked, known to every placement group, and nobody else has a disk. What is missing is no proof.
import { describe, expect, test } from 'vitest';
import { blockedBy } from '../../../../src/ns4/disks/blocked.ts';
import { cutOff } from '../../../../src/ns4/disks/cut-off.ts';
import {
  type Barrier,
  type Blocklist,
  type Changed,
  cannotTell,
  type ImageClients,
  type Storage,
} from '../../../../src/ns4/storage/storage.ts';

const nowMs = Date.UTC(2026, 10, 29, 12);
const yearMs = 365 * 86_400_000;
const entry = (text: string, range = false, expiresAtMs = nowMs + yearMs) => ({
  entry: text,
  range,
  expiresAtMs,
});
const seen = (host: string, address: string) => ({
  host,
  address,
  firstMs: nowMs - 3_600_000,
  lastMs: nowMs,
});
const by = (...addresses: (string | null)[]): ImageClients => ({
  kind: 'known',
  clients: addresses.map((address, i) => ({ client: `client.${i}`, cookie: '1', address })),
});

interface Lab {
  addresses?: ReturnType<typeof seen>[];
  block?: Changed;
  barrier?: Barrier;
  list?: Blocklist;
  watchers?: ImageClients;
  locks?: ImageClients;
  /** Each step of it. */
  takesMs?: number;
}

function lab(change: Lab = {}) {
  const done: string[] = [];
  let steadyMs = 0;
  const all = (images: readonly string[], one: ImageClients) => new Map(images.map((image) => [image, one]));
  const storage: Pick<Storage, 'block' | 'blocklist' | 'barrier' | 'watchers' | 'locks'> = {
    async block(addresses, seconds) {
      done.push(`block ${addresses.join()} for ${seconds}`);
      steadyMs += change.takesMs ?? 0;
      return change.block ?? { kind: 'done' };
    },
    async barrier() {
      done.push('barrier');
      steadyMs += change.takesMs ?? 0;
      return change.barrier ?? { kind: 'passed', epoch: 9, placementGroups: 64, tookMs: 7 };
    },
    blocklist: async () => change.list ?? { kind: 'listed', epoch: 9, entries: [entry('10.2.0.1:0/0')] },
    watchers: async (images) => all(images, change.watchers ?? by()),
    locks: async (images) => all(images, change.locks ?? by('10.2.0.1')),
  };
  const parts = {
    ...{ storage, pools: ['vms'], timeoutMs: 60_000 },
    cuts: { note: async () => void done.push('noted') },
    store: {
      addresses: async () => change.addresses ?? [seen('hv01', '10.2.0.1'), seen('hv02', '10.2.0.2')],
    },
    clock: { nowMs: () => nowMs, steadyMs: () => steadyMs, sleep: async () => undefined },
  };
  const run = (
    beforeBlocking = async () => void done.push('asked'),
    more: { asProofWithinMs?: number; isProven?: boolean } = {},
  ) =>
    cutOff(parts, {
      ...more,
      ...{ host: 'hv01', instances: [{ id: 'vm1', volumes: [] }], signal: new AbortController().signal },
      seenOff: null,
      beforeBlocking,
    });
  return { run, done, parts };
}

test('permission, a year, the barrier, then the look at the disks', async () => {
  const { run, done } = lab();
  expect(await run()).toEqual({ done: true, addresses: ['10.2.0.1'], atMs: nowMs });
  expect(done).toEqual(['asked', 'noted', 'block 10.2.0.1 for 31536000', 'barrier']);
});

test('without permission nothing is blocked', async () => {
  const { run, done } = lab();
  await expect(run(async () => Promise.reject(new Error('it lives')))).rejects.toThrow('it lives');
  expect(done).toEqual([]);
});

describe('what is not permitted is found out before', () => {
  const denied: ImageClients = { kind: 'cannot-tell', reason: 'its user lacks caps', denied: true };

  test.each<[string, Lab, string]>([
    [
      'who has its disks open',
      { watchers: denied },
      'by whom vms/vm1_disk is open could not be read: its user',
    ],
    ['who owns their locks', { locks: denied }, 'by whom vms/vm1_disk is locked could not be read: its user'],
  ])('%s: nothing is blocked', async (_, change, why) => {
    const { run, done } = lab(change);
    expect(await run()).toEqual({ done: false, why: expect.stringContaining(why) });
    expect(done).toEqual([]);
  });

  test('another proof stands, and all move anyway: it is blocked all the same', async () => {
    const { run, done } = lab({ watchers: denied });
    expect(await run(async () => {}, { isProven: true })).toMatchObject({ done: false });
    expect(done).toEqual(['noted', 'block 10.2.0.1 for 31536000', 'barrier']);
  });

  test('who does not answer forbids nothing', async () => {
    const { run, done } = lab({ watchers: cannotTell('it hangs') });
    await run();
    expect(done).toContain('barrier');
  });

  test('a volume may have parents elsewhere: one is tried as well', async () => {
    const { parts, done } = lab();
    const watchers: Storage['watchers'] = async (images) =>
      new Map(images.map((image) => [image, image.includes('/volume-') ? denied : by()]));
    const result = await cutOff(
      { ...parts, storage: { ...parts.storage, watchers } },
      {
        ...{
          host: 'hv01',
          seenOff: null,
          signal: new AbortController().signal,
          beforeBlocking: async () => {},
        },
        instances: [
          { id: 'vm1', volumes: [] },
          { id: 'vm2', volumes: ['v1', 'v2'] },
        ],
      },
    );
    expect(result).toMatchObject({ done: false, why: expect.stringContaining('vms/volume-v1') });
    expect(done).toEqual([]);
  });
});

describe('no proof', () => {
  test.each<[string, Lab, string]>([
    [
      'the monitors do not answer',
      { block: cannotTell('no monitor') },
      '10.2.0.1 could not be blocked: no monitor',
    ],
    [
      'an OSD hangs',
      { barrier: cannotTell('osd.1 hangs') },
      'not every placement group knows of it: osd.1 hangs',
    ],
    [
      'the list cannot be read',
      { list: cannotTell('it hangs') },
      'whom Ceph blocks could not be read: it hangs',
    ],
    [
      'open by somebody unknown',
      { watchers: by('10.2.0.9') },
      'vms/vm1_disk is open by 10.2.0.9, which is not blocked',
    ],
    [
      'locked by an address that was forgotten',
      { locks: by('10.2.7.1') },
      'vms/vm1_disk is locked by 10.2.7.1',
    ],
    ['open by nobody knows whom', { watchers: by(null) }, 'open by an address that Ceph does not tell'],
    ['the disks cannot be looked at', { watchers: cannotTell('it hangs') }, 'by whom vms/vm1_disk is open'],
    [
      'the entry is gone again',
      { list: { kind: 'listed', epoch: 9, entries: [] }, watchers: by('10.2.0.1') },
      'vms/vm1_disk is open by 10.2.0.1, which is not blocked',
    ],
    ['never seen with an address', { addresses: [] }, 'it is not known from which address hv01 opens disks'],
    [
      'another one has its address as well',
      { addresses: [seen('hv01', '10.2.0.5'), seen('hv02', '10.2.0.5')] },
      'other hypervisors open disks from 10.2.0.5 as well',
    ],
    [
      'another one has one of its addresses as well: what it opened from there might go on',
      {
        addresses: ['10.2.0.1', '10.2.0.5'].map((one) => seen('hv01', one)).concat(seen('hv02', '10.2.0.5')),
      },
      'other hypervisors open disks from 10.2.0.5 as well',
    ],
  ])('%s', async (_, change, why) => {
    expect(await lab(change).run()).toEqual({ done: false, why: expect.stringContaining(why) });
  });
});

describe('as the proof of a fence level', () => {
  const asProof = (change: Lab) => lab(change).run(undefined, { asProofWithinMs: 10_000 });

  test('all of it, in time', async () => {
    expect(await asProof({ takesMs: 4_000 })).toEqual({ done: true, addresses: ['10.2.0.1'], atMs: nowMs });
  });

  test.each<[string, Lab, string]>([
    ['the entry took all of its time', { takesMs: 10_000 }, 'not done within 10 s'],
    ['the barrier ended too late', { takesMs: 5_000 }, 'not done within 10 s'],
    ['another hypervisor has it open', { watchers: by('10.2.0.2') }, 'vms/vm1_disk is open by 10.2.0.2'],
    ['another hypervisor has its lock', { locks: by('10.2.0.2') }, 'vms/vm1_disk is locked by 10.2.0.2'],
    ['an OSD hangs', { barrier: cannotTell('osd.1 hangs') }, 'osd.1 hangs'],
    [
      'its disk is elsewhere: nothing keeps it from writing there',
      { watchers: { kind: 'absent' }, locks: { kind: 'absent' } },
      'the disk of instance vm1 is in none of these pools',
    ],
    ['nothing of it is here', { addresses: [], watchers: { kind: 'absent' } }, 'it is not known from which'],
  ])('none: %s', async (_, change, why) => {
    expect(await asProof(change)).toEqual({ done: false, why: expect.stringContaining(why) });
  });

  test('a volume that another hypervisor shares is no reason against it', async () => {
    const { parts } = lab();
    const result = await cutOff(
      {
        ...parts,
        storage: {
          ...parts.storage,
          watchers: async (images) =>
            new Map(
              images.map((image) => [image, by(image.includes('volume-v1') ? '10.2.0.2' : '10.2.0.1')]),
            ),
        },
      },
      {
        ...{ host: 'hv01', instances: [{ id: 'vm1', volumes: ['v1'] }], seenOff: null },
        ...{ signal: new AbortController().signal, asProofWithinMs: 10_000, beforeBlocking: async () => {} },
      },
    );
    expect(result).toMatchObject({ done: true });
  });

  test('a volume that is elsewhere', async () => {
    const { parts } = lab({ watchers: by() });
    const result = await cutOff(
      {
        ...parts,
        storage: {
          ...parts.storage,
          watchers: async (images) =>
            new Map(images.map((image) => [image, image.includes('volume-v2') ? { kind: 'absent' } : by()])),
        },
      },
      {
        ...{ host: 'hv01', instances: [{ id: 'vm1', volumes: ['v1', 'v2'] }], seenOff: null },
        ...{ signal: new AbortController().signal, asProofWithinMs: 10_000, beforeBlocking: async () => {} },
      },
    );
    expect(result).toEqual({
      done: false,
      why: 'volume-v2 of instance vm1 is in none of these pools',
    });
  });
});

describe('proof all the same', () => {
  test.each<[string, Lab, string[]]>([
    ['its watch and lock linger: they are blocked', { watchers: by('10.2.0.1') }, ['10.2.0.1']],
    ['another hypervisor has a shared volume open', { watchers: by('10.2.0.2') }, ['10.2.0.1']],
    ['no disk of it is on this Ceph', { addresses: [], watchers: { kind: 'absent' } }, []],
  ])('%s', async (_, change, addresses) => {
    expect(await lab(change).run()).toMatchObject({ done: true, addresses });
  });
});

describe('the time for reading who has the disks', () => {
  const given = async (
    count: number,
    more: { asProofWithinMs?: number; isProven?: boolean } = {},
    change: Lab = {},
  ) => {
    const { parts } = lab(change);
    const limits: number[] = [];
    const noting: Storage['watchers'] = (images, { timeoutMs }) => {
      limits.push(timeoutMs);
      return parts.storage.watchers(images, { timeoutMs });
    };
    await cutOff(
      { ...parts, storage: { ...parts.storage, watchers: noting } },
      {
        ...{
          host: 'hv01',
          seenOff: null,
          signal: new AbortController().signal,
          beforeBlocking: async () => {},
        },
        ...{ instances: Array.from({ length: count }, (_, i) => ({ id: `vm${i}`, volumes: [] })), ...more },
      },
    );
    return limits.at(-1) ?? 0;
  };

  test('grows with their number, up to that of the level', async () => {
    const one = await given(1);
    expect(one).toBeGreaterThanOrEqual(5_000);
    // Five names each; measured: 1.2 s for 200 images at peace.
    expect(await given(100)).toBeGreaterThanOrEqual(one + 8_000);
    expect(await given(1_000)).toBe(60_000);
    expect(await given(1_000, { asProofWithinMs: 10_000 })).toBe(10_000);
  });

  test('also where no address is known', async () => {
    expect(await given(100, {}, { addresses: [] })).toBeGreaterThan(5_000);
  });
});

test.each<[string, ReturnType<typeof entry>, boolean]>([
  ['the whole address', entry('10.2.0.1:0/0'), true],
  ['one client of it', entry('10.2.0.1:0/3424'), false],
  ['another one', entry('10.2.0.11:0/0'), false],
  ['a range around it', entry('10.2.0.0:0/24', true), true],
  ['a range beside it', entry('10.2.1.0:0/24', true), false],
  ['over in ten minutes', entry('10.2.0.1:0/0', false, nowMs + 600_000), false],
  ['something odd', entry('hello'), false],
])('blocked by an entry for %s', (_, one, isBlocked) => {
  expect(blockedBy([one], nowMs)('10.2.0.1')).toBe(isBlocked);
});

test('IPv6', () => {
  expect(blockedBy([entry('[fd00::5]:0/0')], nowMs)('fd00::5')).toBe(true);
  expect(blockedBy([entry('[fd00::]:0/64', true)], nowMs)('fd00::5')).toBe(true);
});
