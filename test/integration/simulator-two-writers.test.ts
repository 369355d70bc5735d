// The ways to the catastrophe, and the database method: what really runs where, beside what Nova believes.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NovaBench, openNovaBench } from '../support/nova-bench.ts';
import { until } from '../support/raw-api.ts';

describe('what really runs', () => {
  let bench: NovaBench;

  beforeAll(async () => {
    bench = await openNovaBench();
  });
  afterAll(() => bench.simulator.close());
  beforeEach(() => bench.clean());

  it('lets a second evacuation wreck the instance', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    const both = await Promise.all([
      bench.evacuate(id, { host: 'hv02' }),
      bench.evacuate(id, { host: 'hv03' }),
    ]);
    expect(both.map((answer) => answer.status)).toEqual([200, 200]);
    await until(
      () => bench.simulator.snapshot().migrations.filter((m) => m.server === 'one'),
      (all) => all.map((m) => m.status).join() === 'done,failed',
    );
    expect(bench.seen('one')).toMatchObject({
      status: 'ERROR',
      taskState: 'rebuild_block_device_mapping',
      host: 'hv02',
      ports: [{ host: 'hv03', status: 'BUILD' }],
      everTwoWriters: true,
    });
  });

  it('evacuates from a living host that is forced down: two writers, and the simulator says so', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01', ['compute', 'agent', 'address', 'guests']);
    await bench.condemn('hv01');
    await bench.evacuate(id, { host: 'hv02' });
    await bench.arrival('one', 'hv02');
    expect(bench.seen('one')).toMatchObject({ runningOn: ['hv01', 'hv02'], everTwoWriters: true });
    await bench.simulator.revive('hv01');
    expect(bench.seen('one')?.runningOn).toEqual(['hv02']);
  });

  it('notices two writers when a host that only hung wakes up', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.hang('hv01');
    await bench.condemn('hv01');
    await bench.evacuate(id, { host: 'hv02' });
    await bench.arrival('one', 'hv02');
    expect(bench.seen('one')?.everTwoWriters).toBe(false);
    await bench.simulator.revive('hv01');
    expect(bench.seen('one')?.everTwoWriters).toBe(true);
  });

  it('carries the database method: reboot on the new host, port and allocation left behind', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01');
    bench.simulator.spare('hv02');
    expect(bench.simulator.rewriteHost('one', 'hv02', { from: 'hv03' })).toBe(0);
    expect(bench.simulator.rewriteHost('one', 'hv02', { from: 'hv01' })).toBe(1);
    const rebooted = await bench.act(id, { reboot: { type: 'HARD' } });
    expect(rebooted.status).toBe(202);
    expect((await bench.server(id)).status).toBe('HARD_REBOOT');
    await until(
      () => bench.server(id),
      (s) => s.status === 'ACTIVE',
    );
    expect(bench.seen('one')).toMatchObject({
      host: 'hv02',
      node: 'hv02.example.org',
      runningOn: ['hv02'],
      allocatedOn: ['hv01'],
      ports: [{ host: 'hv01', status: 'ACTIVE' }],
    });
    const port = bench.seen('one')?.ports[0]?.id;
    const bound = await bench.api.neutron('PUT', `/ports/${port}`, { port: { 'binding:host_id': 'hv02' } });
    expect(bound.at('port')).toMatchObject({ 'binding:host_id': 'hv02', status: 'DOWN' });
    await until(
      () => bench.seen('one')?.ports[0]?.status,
      (status) => status === 'ACTIVE',
    );
  });

  it('keeps a hard reboot for a dead host until it returns', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01');
    await bench.act(id, { reboot: { type: 'HARD' } });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await bench.server(id)).status).toBe('HARD_REBOOT');
    await bench.simulator.revive('hv01');
    await until(
      () => bench.server(id),
      (s) => s.status === 'ACTIVE',
    );
  });

  it('has everything look dead without RabbitMQ or the conductor, and carries an evacuation out afterwards', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.stop('conductor');
    await until(
      () => bench.simulator.snapshot().hosts,
      (hosts) => Object.values(hosts).every((h) => h.state === 'down' && h.agentAlive),
    );
    await bench.simulator.start('conductor');
    await bench.simulator.stop('rabbitmq');
    await until(
      () => bench.simulator.snapshot().hosts,
      (hosts) => Object.values(hosts).every((h) => h.state === 'down' && !h.agentAlive),
    );
    const noAnswer = fetch(`${bench.simulator.url('nova')}/v2.1/servers/${id}/action`, {
      method: 'POST',
      headers: {
        'x-auth-token': bench.api.token,
        'OpenStack-API-Version': 'compute 2.79',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ evacuate: { host: 'hv02' } }),
      signal: AbortSignal.timeout(500),
    });
    await expect(noAnswer).rejects.toThrow();
    expect(await bench.server(id)).toMatchObject({
      status: 'REBUILD',
      'OS-EXT-STS:task_state': 'rebuilding',
    });
    await bench.simulator.start('rabbitmq');
    await bench.arrival('one', 'hv02');
    // The source was alive all the while: this is the catastrophe a blind repetition or a hasty verdict makes.
    expect(bench.seen('one')?.everTwoWriters).toBe(true);
  });
});
