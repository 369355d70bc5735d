// The background round over disks: who is asked when, and from whom the storage addresses of hypervisors are learned.
import { describe, expect, test } from 'vitest';
import { BackgroundAsking } from '../../../../src/ns4/baseline/background-asking.ts';
import type { AskedImage, Storage } from '../../../../src/ns4/storage/storage.ts';
import type { Hypervisor, Server } from '../../../../src/shared/documents/inventory.ts';
import { createLog } from '../../../../src/shared/ground/log.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { instantClock } from '../../../support/instant-clock.ts';
import { hypervisor, inventory, nowMs, server } from '../../../support/inventories.ts';

const open = (address: string): AskedImage => ({
  kind: 'asked',
  openers: [{ client: 'client.1', cookie: '1', address, answered: true }],
});

interface Lab {
  readonly servers?: Server[];
  readonly hypervisors?: Hypervisor[];
  answer?(image: string): AskedImage;
  /** What Nova has on hv01 at the first and at later looks; else the inventory is right. */
  nova?(look: number): Server[];
}

/** Over a picture that is refreshed every five seconds; each turn is a second. */
function lab({ servers = [], hypervisors = [hypervisor('hv01')], answer, nova = () => servers }: Lab) {
  let looks = 0;
  const clock = instantClock(nowMs);
  const asked: { readonly atMs: number; readonly images: readonly string[] }[] = [];
  const learned: { readonly atMs: number; readonly host: string; readonly address: string }[] = [];
  const storage: Pick<Storage, 'ask'> = {
    async ask(images) {
      asked.push({ atMs: clock.nowMs() - nowMs, images });
      return new Map(images.map((image) => [image, answer?.(image) ?? open('10.2.0.1')]));
    },
  };
  const picture = () => {
    const { hosts, servers: list } = inventory({ hypervisors, servers }, clock.nowMs());
    return Picture.of(hosts, list);
  };
  const asking = new BackgroundAsking({
    storage,
    pools: ['vms'],
    store: {
      note: async () => undefined,
      learn: async (seen, atMs) => {
        learned.push(...seen.map((one) => ({ ...one, atMs: atMs - nowMs })));
      },
      addresses: async () => [],
      prune: async () => undefined,
    },
    cloud: {
      listServers: async () => {
        looks += 1;
        return nova(looks);
      },
    },
    inventory: {
      versions: async () => {
        const version = String(Math.floor(clock.nowMs() / 5_000));
        return { hosts: version, servers: version };
      },
      read: async () => picture(),
      readThrough: async (begin) => {
        begin(picture())(servers);
        return picture();
      },
    },
    rules: { heartbeatPeriodMs: 30_000 },
    clock,
    log: createLog({ name: 'test', verbosity: 0, destination: process.stderr }),
  });
  return {
    asked,
    learned,
    async seconds(count: number) {
      for (let i = 0; i < count; i += 1) {
        await asking.turn();
        clock.advance(1_000);
      }
    },
  };
}

const vm1 = server('vm1', 'hv01');

describe('the address of a hypervisor', () => {
  test('is learned as soon as a disk answers, from all instances, and half an hour later again', async () => {
    const servers = [1, 2, 3, 4, 5].map((n) => server(`vm${n}`, 'hv01'));
    const { asked, learned, seconds } = lab({ servers });
    await seconds(1);
    expect(learned).toEqual([{ host: 'hv01', address: '10.2.0.1', atMs: 0 }]);
    expect(asked.map(({ images }) => images.length)).toEqual([5, 5]);
    await seconds(1_799);
    expect(learned).toHaveLength(1);
    await seconds(2);
    expect(learned).toHaveLength(2);
  });

  test('is learned from each instance: one may be open from another address', async () => {
    const servers = [1, 2, 3, 4, 5].map((n) => server(`vm${n}`, 'hv01'));
    const { learned, seconds } = lab({
      servers,
      answer: (image) => open(image.includes('vm5') ? '10.2.0.101' : '10.2.0.1'),
    });
    await seconds(1);
    expect(learned.map(({ address }) => address)).toEqual(['10.2.0.1', '10.2.0.101']);
  });

  test('is not asked for where no disk is on Ceph', async () => {
    const looks: number[] = [];
    const { seconds } = lab({
      servers: [vm1],
      answer: () => ({ kind: 'absent' }),
      nova: (look) => {
        looks.push(look);
        return [vm1];
      },
    });
    await seconds(300);
    expect(looks).toEqual([]);
  });

  const migrating = server('vm1', 'hv01', { taskState: 'migrating', vmState: 'active' });
  test.each<[string, Partial<Lab>]>([
    ['an instance that was live-migrated since the inventory was read', { nova: () => [] }],
    ['one that was migrated while its disks were asked', { nova: (look) => (look % 2 === 1 ? [vm1] : []) }],
    ['one that is migrating then', { nova: (look) => (look % 2 === 1 ? [vm1] : [migrating]) }],
    ['one that was launched just now', { nova: () => [{ ...vm1, launchedAtMs: nowMs - 1_000 }] }],
    ['a host that is down', { hypervisors: [hypervisor('hv01', { state: 'down' })] }],
    [
      'one that two processes have open',
      {
        answer: () => ({
          kind: 'asked',
          openers: ['10.2.0.1', '10.2.0.2'].map((address, n) => ({
            ...{ client: `client.${n}`, cookie: '1', address },
            answered: true,
          })),
        }),
      },
    ],
  ])('is not learned from %s', async (_, about) => {
    const { learned, seconds } = lab({ servers: [vm1], ...about });
    await seconds(60);
    expect(learned).toEqual([]);
  });

  test('Nova does not answer: asked again a minute later', async () => {
    const { learned, seconds } = lab({
      servers: [vm1],
      nova: (look) => {
        if (look === 1) throw new Error('Nova is away');
        return [vm1];
      },
    });
    await seconds(62);
    expect(learned).toEqual([{ host: 'hv01', address: '10.2.0.1', atMs: 60_000 }]);
  });
});
