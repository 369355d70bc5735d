// What is read of each cloud for a question: servers only when one is asked for, and nothing of them is kept.
import { describe, expect, it } from 'vitest';
import type { Server } from '../../../../src/shared/documents/inventory.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { type CloudReader, readViews } from '../../../../src/sonny/talk/views.ts';
import { hypervisor, inventory, server } from '../../../support/inventories.ts';

const { hosts, servers } = inventory({
  hypervisors: [hypervisor('hv01')],
  servers: ['web1', 'web2', 'mail'].map((name) => server(name, 'hv01')),
});
const picture = new Picture(hosts, null, new Map());

/** A store whose servers come one by one; `again` times it has to begin anew after the first. */
function reader(again = 0): CloudReader & { readonly through: number[] } {
  const through: number[] = [];
  return {
    through,
    inventory: {
      read: async () => picture,
      readThrough: async (begin: (of: Picture) => (piece: readonly Server[]) => void) => {
        for (let i = 0; i < again; i += 1) begin(picture)(servers.servers.slice(0, 1));
        const show = begin(picture);
        for (const one of servers.servers) show([one]);
        through.push(servers.servers.length);
        return picture;
      },
    },
    leader: async () => null,
    status: async () => ({ kind: 'none' }),
    vantagePoints: async () => [],
  };
}

describe('readViews', () => {
  it('reads no servers unless one is asked for', async () => {
    const cloud = reader();
    expect(await readViews(new Map([['c', cloud]]))).toMatchObject([{ picture, servers: null }]);
    expect(cloud.through).toEqual([]);
  });

  it('finds a server in the second beginning once, though it was seen in the first', async () => {
    const [view] = await readViews(new Map([['c', reader(1)]]), 'WEB1');
    expect(view?.servers).toMatchObject({
      count: 1,
      shown: [{ yaml: expect.stringContaining('name: web1') }],
    });
  });

  it('names what comes near when there is none', async () => {
    const [view] = await readViews(new Map([['c', reader()]]), 'web3');
    expect(view?.servers).toEqual({ count: 0, shown: [], near: ['web1', 'web2'] });
  });

  it('says why a cloud cannot be read, and goes on with the next', async () => {
    const away = { ...reader(), leader: () => Promise.reject(new Error('Redis is away')) };
    const views = await readViews(
      new Map([
        ['a', away],
        ['b', reader()],
      ]),
      'web1',
    );
    expect(views).toMatchObject([
      { cloud: 'a', picture: null, servers: null, trouble: 'Redis is away' },
      { cloud: 'b', trouble: null, servers: { count: 1 } },
    ]);
  });
});
