import { afterEach, describe, expect, it } from 'vitest';
import {
  cloudErrorOf as errorOf,
  type Script,
  type ScriptedClient,
  scriptedClient,
} from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;

let clients: ScriptedClient[] = [];
afterEach(async () => {
  for (const client of clients) await client.close();
  clients = [];
});

const start: typeof scriptedClient = async (...how) => {
  const client = await scriptedClient(...how);
  clients.push(client);
  return client;
};

describe('moveAllocation', () => {
  const placement = (puts: (count: number) => { status: number; json?: unknown }): Script => {
    let generation = 1;
    return (request, count) => {
      if (request.path === '/placement/')
        return { json: { versions: [{ max_version: '1.39', min_version: '1.0' }] } };
      if (request.path === '/placement/resource_providers') {
        const name = request.query.get('name');
        const known = name === 'hv01' || name === 'hv02' ? [{ uuid: `rp-${name}`, name }] : [];
        return { json: { resource_providers: known } };
      }
      if (request.method === 'PUT') return puts(count);
      return {
        json: {
          allocations: { 'rp-hv01': { resources: { VCPU: 1 }, generation: 7 } },
          consumer_generation: generation++,
          project_id: 'p',
          user_id: 'u',
        },
      };
    };
  };
  const conflict = {
    status: 409,
    json: { errors: [{ code: 'placement.concurrent_update', detail: 'again' }] },
  };

  it('reads and writes again after a concurrent update', async () => {
    const { cloud, server } = await start(placement((count) => (count === 0 ? conflict : { status: 204 })));
    await cloud.moveAllocation('i', 'hv01', 'hv02', never);
    const puts = server.calls().filter((c) => c.method === 'PUT');
    expect(puts.map((put) => put.body)).toEqual(
      [1, 2].map((generation) => ({
        allocations: { 'rp-hv02': { resources: { VCPU: 1 } } },
        consumer_generation: generation,
        project_id: 'p',
        user_id: 'u',
      })),
    );
    expect(puts[0]?.headers['openstack-api-version']).toBe('placement 1.28');
  });

  it('gives up after a few, and at once on another conflict', async () => {
    const busy = await start(placement(() => conflict));
    expect(await errorOf(busy.cloud.moveAllocation('i', 'hv01', 'hv02', never))).toMatchObject({
      outcome: 'refused',
    });
    expect(busy.server.calls().filter((c) => c.method === 'PUT')).toHaveLength(5);
    const other = {
      status: 409,
      json: { errors: [{ code: 'placement.undefined_code', detail: 'no room' }] },
    };
    const full = await start(placement(() => other));
    const error = await errorOf(full.cloud.moveAllocation('i', 'hv01', 'hv02', never));
    expect(error).toMatchObject({
      outcome: 'refused',
      status: 409,
      message: 'placement.undefined_code: no room',
    });
    expect(full.server.calls().filter((c) => c.method === 'PUT')).toHaveLength(1);
  });

  it('does not guess at a provider', async () => {
    const { cloud } = await start(placement(() => ({ status: 204 })));
    const error = await errorOf(cloud.moveAllocation('i', 'hv01', 'hv09', never));
    expect(error).toMatchObject({
      outcome: 'not-done',
      message: 'Placement knows no resource provider hv09',
    });
  });
});
