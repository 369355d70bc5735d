// What `ns4 --check` finds out of disks: whether the look that a recovery will need may be had, and what is not there.
import { describe, expect, test } from 'vitest';
import { surveyDisks } from '../../../../src/ns4/commands/survey-disks.ts';
import type { AskedImage, CannotTell, ImageClients } from '../../../../src/ns4/storage/storage.ts';
import { hypervisor, picture, server } from '../../../support/inventories.ts';

const known: ImageClients = { kind: 'known', clients: [] };
const asked: AskedImage = { kind: 'asked', openers: [] };
const denied: CannotTell = { kind: 'cannot-tell', reason: 'no caps', denied: true };
const hangs: CannotTell = { kind: 'cannot-tell', reason: 'it hangs' };

type Answer<T> = (image: string) => T;

interface Case {
  readonly servers?: ReturnType<typeof server>[];
  readonly openers?: Answer<AskedImage>;
  readonly watchers?: Answer<ImageClients>;
  readonly locks?: Answer<ImageClients>;
  /** Each question. */
  readonly takesMs?: number;
}

async function survey({ servers = [server('vm1', 'hv01')], takesMs = 0, ...answers }: Case = {}) {
  let steadyMs = 0;
  const { openers = () => asked, watchers = () => known, locks = () => known } = answers;
  const questions: Record<string, readonly string[]> = {};
  const answering =
    <T>(kind: string, answer: Answer<T>) =>
    async (images: readonly string[]) => {
      questions[kind] ??= images;
      steadyMs += takesMs;
      return new Map(images.map((image) => [image, answer(image)]));
    };
  const of = picture({ hypervisors: ['hv01', 'hv02'].map((host) => hypervisor(host)), servers });
  const storage = {
    ask: answering('openers', openers),
    watchers: answering('watchers', watchers),
    locks: answering('locks', locks),
  };
  const { signal } = new AbortController();
  const found = await surveyDisks(of, {
    storage,
    pools: ['vms'],
    signal,
    clock: { steadyMs: () => steadyMs },
  });
  return { found, questions };
}

describe('whether disks may be read', () => {
  test.each<[string, Case, object]>([
    ['all may be', {}, { denied: null, unread: null }],
    [
      'openers may not',
      { openers: () => denied },
      { denied: expect.stringMatching(/^by whom vms\/.*open.*no caps$/) },
    ],
    [
      'watchers may not',
      { watchers: () => denied },
      { denied: expect.stringMatching(/ is open .*no caps$/) },
    ],
    ['locks may not', { locks: () => denied }, { denied: expect.stringMatching(/ is locked .*no caps$/) }],
    ['it hangs', { watchers: () => hangs }, { denied: null, unread: expect.stringMatching(/it hangs$/) }],
  ])('%s', async (_, change, expected) => {
    expect((await survey(change)).found).toMatchObject(expected);
  });

  test('of each hypervisor an instance without volumes and one with, if they run', async () => {
    const servers = [
      server('off', 'hv01', { vmState: 'stopped', powerState: 4 }),
      server('vm1', 'hv01'),
      server('vm2', 'hv01'),
      server('vm3', 'hv01', { volumes: ['v1'] }),
      server('vm4', 'hv02', { volumes: ['v2'] }),
    ];
    const { questions } = await survey({ servers });
    const [vm1, vm3, vm4] = [1, 3, 4].map((i) => servers[i]?.id);
    expect(questions.openers).toEqual([
      ...[`vms/${vm1}_disk`, `vms/${vm3}_disk`, 'vms/volume-v1', `vms/${vm4}_disk`, 'vms/volume-v2'],
    ]);
    for (const kind of ['watchers', 'locks']) expect(questions[kind]).toContain(`vms/${vm1}_disk.config`);
  });
});

describe('what is on none of the pools', () => {
  const absent: ImageClients = { kind: 'absent' };
  const vm1 = server('vm1', 'hv01');
  const vm2 = server('vm2', 'hv01', { volumes: ['here', 'renamed'] });
  const without =
    (...names: string[]) =>
    (image: string) =>
      names.some((name) => image === `vms/${name}`) ? absent : known;
  const missing = async (change: Case) =>
    (await survey(change)).found.missing.map(({ instance: { name }, volume }) => [name, volume]);

  test('a disk, and a volume of several', async () => {
    // It boots from a volume: that it has no disk of its own says nothing.
    const locks = without(`${vm1.id}_disk`, `${vm2.id}_disk`, 'volume-renamed');
    expect(await missing({ servers: [vm1, vm2, server('vm3', 'hv02')], locks })).toEqual([
      ['vm1', null],
      ['vm2', 'renamed'],
    ]);
  });

  test('who does not run writes nowhere; what cannot be told is not missing', async () => {
    const stopped = server('off', 'hv01', { vmState: 'stopped', powerState: 4 });
    expect(await missing({ servers: [stopped], locks: () => absent })).toEqual([]);
    expect(await missing({ servers: [vm1], locks: () => hangs })).toEqual([]);
  });

  test('what there was no time for is counted, and not missing', async () => {
    const servers = Array.from({ length: 6_000 }, (_, i) => server(`vm${i}`, 'hv01'));
    const { found } = await survey({ servers, takesMs: 8_000 });
    expect(found).toMatchObject({ missing: [], unlooked: 2_000 });
  });
});

describe('hosts with nothing here, which need not be cut off', () => {
  const stopped = server('off', 'hv02', { vmState: 'stopped', powerState: 4 });
  const servers = [server('vm1', 'hv01'), stopped];
  const absent: ImageClients = { kind: 'absent' };
  const nothingHere = async (change: Case) => [...(await survey({ servers, ...change })).found.nothingHere];

  test('no image of any of their instances is there', async () => {
    expect(await nothingHere({ locks: () => absent })).toEqual(['hv01', 'hv02']);
    expect(await nothingHere({ locks: (image) => (image.includes(stopped.id) ? known : absent) })).toEqual([
      'hv01',
    ]);
  });

  test('not who could not be looked at, or was not', async () => {
    expect(await nothingHere({ locks: () => hangs })).toEqual([]);
    const many = Array.from({ length: 6_000 }, (_, i) => server(`vm${i}`, i < 10 ? 'hv01' : 'hv02'));
    const found = await nothingHere({ servers: many, takesMs: 8_000, locks: () => absent });
    expect(found).toEqual(['hv01']);
  });
});
