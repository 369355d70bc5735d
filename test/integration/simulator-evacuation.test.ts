// What a real Nova makes of evacuate requests: the courses, the refusals, and the failures that come later.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NovaBench, openNovaBench } from '../support/nova-bench.ts';
import { until } from '../support/raw-api.ts';

describe('an evacuation', () => {
  let bench: NovaBench;

  beforeAll(async () => {
    bench = await openNovaBench();
  });
  afterAll(() => bench.simulator.close());
  beforeEach(() => bench.clean());

  it('refuses evacuations it cannot make', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    const paused = await bench.simulator.boot('two', 'hv01', { vmState: 'paused' });
    const inUse = await bench.evacuate(id, { host: 'hv02' });
    expect(inUse.body).toEqual({
      badRequest: { code: 400, message: 'Compute service of hv01 is still in use.' },
    });
    expect((await bench.evacuate(id, { host: 'hv01' })).at('badRequest', 'message')).toMatch(
      /can't be the same/,
    );
    expect((await bench.evacuate(id, { host: 'nosuch' })).status).toBe(404);
    expect((await bench.evacuate(id, { host: 'hv02.example.org' })).status).toBe(404);
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    expect((await bench.evacuate(paused, { host: 'hv02' })).at('conflictingRequest', 'message')).toBe(
      `Cannot 'evacuate' instance ${paused} while it is in vm_state paused`,
    );
    expect((await bench.evacuate(id, { host: 'hv02', force: true })).status).toBe(400);
    expect((await bench.evacuate(id, { host: 'hv02', onSharedStorage: true })).status).toBe(400);
    expect((await bench.evacuate(id, { host: 'hv02' }, '2.13')).status).toBe(400);
    expect(bench.seen('one')?.evacuationsStarted).toBe(0);
  });

  it('evacuates: empty 200, REBUILD, for a moment ACTIVE on the old host, then the new one', async () => {
    const id = await bench.simulator.boot('one', 'hv01', { locked: true });
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    const taken = await bench.evacuate(id, { host: 'hv02' });
    expect([taken.status, taken.text]).toEqual([200, '']);
    const course = new Set<string>();
    await until(
      () => {
        const { status, taskState, host } = bench.seen('one') ?? {};
        course.add(`${status} ${taskState} ${host}`);
        return host;
      },
      (host) => host === 'hv02',
    );
    expect([...course]).toEqual([
      'REBUILD rebuilding hv01',
      'REBUILD rebuild_block_device_mapping hv01',
      'ACTIVE null hv01',
      'ACTIVE null hv02',
    ]);
    // Its agent wires the port a moment later.
    await until(
      () => bench.seen('one')?.ports[0]?.status,
      (status) => status === 'ACTIVE',
    );
    expect(bench.seen('one')).toMatchObject({
      node: 'hv02.example.org',
      runningOn: ['hv02'],
      allocatedOn: ['hv01', 'hv02'],
      everTwoWriters: false,
      ports: [{ host: 'hv02', vifType: 'ovs', status: 'ACTIVE' }],
    });
    const old = (await bench.api.nova('GET', '/os-hypervisors/detail')).at<{ running_vms: number }>(
      'hypervisors',
      0,
    );
    expect(old.running_vms).toBe(1);
  });

  it('refuses to force a host up before its nova-compute was restarted and has cleaned up', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    await bench.evacuate(id, { host: 'hv02' });
    await bench.arrival('one', 'hv02');
    const refused = await bench.putService('hv01', { forced_down: false, status: 'enabled' });
    expect(refused.at('badRequest', 'message')).toMatch(/^Unable to force up host hv01 as `done` evacuation/);
    expect((await bench.service('hv01')).status).toBe('disabled');
    const list = '/os-migrations?migration_type=evacuation&source_compute=hv01';
    expect((await bench.api.nova('GET', list)).at('migrations', 0)).toMatchObject({ status: 'done' });
    await bench.simulator.revive('hv01');
    expect((await bench.api.nova('GET', list)).at('migrations', 0)).toMatchObject({ status: 'completed' });
    expect((await bench.service('hv01')).state).toBe('down');
    expect(bench.seen('one')?.allocatedOn).toEqual(['hv02']);
    expect((await bench.putService('hv01', { forced_down: false })).status).toBe(200);
    await until(
      () => bench.service('hv01'),
      (s) => s.state === 'up',
    );
  });

  it('takes evacuations that fail later: disabled target, dead target, target that only looks alive', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    bench.simulator.spare('hv02');
    expect((await bench.evacuate(id, { host: 'hv02' })).status).toBe(200);
    const failed = await until(
      () => bench.server(id),
      (s) => s.status === 'ERROR',
    );
    expect(failed.fault).toMatchObject({ code: 500, message: 'No valid host was found. ' });
    expect(failed['OS-EXT-SRV-ATTR:host']).toBe('hv01');

    await bench.simulator.kill('hv03');
    await until(
      () => bench.service('hv03'),
      (s) => s.state === 'down',
    );
    await bench.evacuate(id, { host: 'hv03' });
    const second = await until(
      () => bench.server(id),
      (s) => s.status === 'ERROR' && s.fault.message !== 'No valid host was found. ',
    );
    expect(second.fault.message).toBe('No valid host was found. There are not enough hosts available.');

    await bench.evacuate(id, { host: 'hv03', force: true }, '2.67');
    await until(
      () => bench.simulator.snapshot().migrations,
      (all) => all.filter((m) => m.status === 'error').length === 3,
    );
    await bench.evacuate(id, { host: 'hv02', force: true }, '2.67');
    expect(
      await until(
        () => bench.server(id),
        (s) => s['OS-EXT-SRV-ATTR:host'] === 'hv02',
      ),
    ).toMatchObject({ status: 'ACTIVE' });

    const stuck = await bench.simulator.boot('two', 'hv01');
    await bench.simulator.kill('hv04');
    await bench.evacuate(stuck, { host: 'hv04' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await bench.server(stuck)).toMatchObject({ status: 'REBUILD', 'OS-EXT-SRV-ATTR:host': 'hv01' });
    await bench.simulator.revive('hv04');
    await until(
      () => bench.server(stuck),
      (s) => s['OS-EXT-SRV-ATTR:host'] === 'hv04',
    );
  });

  it('calls it done when the target has no living agent, though the guest has no network', async () => {
    const id = await bench.simulator.boot('one', 'hv01');
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    await bench.simulator.kill('hv02', ['agent']);
    await until(
      () => bench.simulator.snapshot().hosts.hv02?.agentAlive,
      (alive) => alive === false,
    );
    await bench.evacuate(id, { host: 'hv02' });
    await bench.arrival('one', 'hv02');
    expect(bench.seen('one')).toMatchObject({
      status: 'ACTIVE',
      ports: [{ vifType: 'binding_failed', status: 'DOWN' }],
    });
    await bench.simulator.revive('hv02');
    await until(
      () => bench.seen('one')?.ports[0]?.vifType,
      (vif) => vif === 'ovs',
    );
  });

  it('keeps a stopped instance stopped', async () => {
    const id = await bench.simulator.boot('off', 'hv01', { stopped: true });
    await bench.simulator.kill('hv01');
    await bench.condemn('hv01');
    await bench.evacuate(id, { host: 'hv02' });
    await bench.arrival('off', 'hv02');
    expect(bench.seen('off')).toMatchObject({ status: 'SHUTOFF', vmState: 'stopped', runningOn: [] });
  });
});
