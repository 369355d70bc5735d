// What Sonny expects of any cloud, through the Cloud port alone: the same tests run against a real OpenStack and against
// the simulator, so that the simulator cannot drift into a cloud that does not exist. Every expectation was seen on the
// real services. The tests of one contract share a world, and each leaves it as it found it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, CloudError, type ComputeService } from '../../src/ns4/cloud.ts';
import { type CloudClient, type CloudOptions, createCloud } from '../../src/ns4/openstack/client.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { CloudCredentials } from '../../src/shared/config/cloud-credentials.ts';
import type { Server } from '../../src/shared/inventory.ts';

/** A cloud without instances and with at least four enabled hypervisors, and what is done to it from outside. */
export interface World {
  readonly credentials: CloudCredentials;
  /** Service hosts of all hypervisors. */
  readonly hosts: readonly string[];
  /** An instance on that host, settled (ACTIVE, or SHUTOFF); its id. */
  boot(name: string, host: string, options?: { stopped?: boolean }): Promise<string>;
  /** The hypervisor dies: nova-compute, agent and network. */
  kill(host: string): Promise<void>;
  /** It comes back, and its nova-compute has reported (a forced_down service still shows down). */
  revive(host: string): Promise<void>;
  /** Disabled with the reason "spare". */
  spare(host: string): Promise<void>;
  /** Enabled and not forced down. */
  unspare(host: string): Promise<void>;
  /** Ends or cleans up the world: no instances, all alive and enabled. */
  close(): Promise<void>;
}

const signal = new AbortController().signal;
const nobody = '00000000-0000-4000-8000-000000000000';

/** Runs the contract as a suite of its own; `limitMs` is how long anything in this world may take. */
export function cloudContract(name: string, setup: () => Promise<World>, limitMs: number): void {
  describe.sequential(`the contract of a cloud: ${name}`, () => {
    let world: World;
    let cloud: CloudClient;
    let [dead, target, other, living] = ['', '', '', ''];

    const open = (options: Partial<CloudOptions> = {}): CloudClient =>
      createCloud(world.credentials, { clock: systemClock, random: Math.random, ...options });
    const service = (host: string): Promise<ComputeService> => serviceOf(cloud, host);
    const eventually = <T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> =>
      poll(read, good, limitMs);
    const settledOn = (id: string, host: string): Promise<Server | null> =>
      eventually(
        () => cloud.readServer(id, signal),
        (s) => s?.host === host && s.taskState === null && s.status !== 'REBUILD',
      );
    /** What evacuate.ts does before the first instance moves. */
    const condemn = async (host: string): Promise<void> => {
      const change = { forcedDown: true, status: 'disabled', disabledReason: 'contract' } as const;
      await cloud.changeComputeService((await service(host)).id, change, signal);
    };
    const rehabilitate = async (host: string): Promise<void> => {
      await world.revive(host);
      const { id } = await service(host);
      // Refused until the restarted nova-compute has seen what was taken from it.
      await eventually(
        () => isDone(cloud.changeComputeService(id, { forcedDown: false }, signal)),
        (done) => done,
      );
      await eventually(
        () => service(host),
        (s) => s.state === 'up',
      );
      // Not together with forcedDown: Nova tells a host that is down nothing, and the scheduler would go on passing
      // over it until its next periodic update.
      await cloud.changeComputeService(id, { status: 'enabled' }, signal);
    };

    beforeAll(async () => {
      world = await setup();
      cloud = open();
      [dead, target, other, living] = world.hosts as [string, string, string, string];
    }, limitMs);
    afterAll(async () => {
      await cloud?.close();
      await world?.close();
    }, limitMs);

    it('describes what was reached', async () => {
      const description = await cloud.describe(signal);
      expect(description.roles).toContain('admin');
      expect(description.computeMicroversion).toBe('2.87');
      expect(Math.abs(description.clockSkewMs)).toBeLessThan(2_000);
    });

    it('lists every hypervisor with its service and a beating agent', async () => {
      const hypervisors = await cloud.listHypervisors(signal);
      expect(hypervisors.map((h) => h.host).sort()).toEqual([...world.hosts].sort());
      for (const hypervisor of hypervisors) {
        expect(hypervisor.address).toMatch(/^[\d.]+$/);
        expect(hypervisor.vcpus).toBeGreaterThan(0);
      }
      const services = await cloud.listComputeServices(signal);
      expect(services.map((s) => s.host).sort()).toEqual([...world.hosts].sort());
      for (const { state, status, forcedDown, reportedAtMs } of services) {
        expect({ state, status, forcedDown }).toEqual({ state: 'up', status: 'enabled', forcedDown: false });
        expect(Math.abs(Date.now() - (reportedAtMs ?? 0))).toBeLessThan(60_000);
      }
      for (const agent of await cloud.listAgents(signal)) {
        expect(agent.alive).toBe(true);
        expect(Math.abs(Date.now() - agent.heartbeatAtMs)).toBeLessThan(60_000);
      }
      expect((await cloud.listAgents(signal, living)).map((a) => a.host)).toEqual([living]);
      expect((await cloud.listComputeServices(signal, living)).map((s) => s.host)).toEqual([living]);
      expect((await cloud.listProjects(signal)).length).toBeGreaterThan(0);
      expect(Array.isArray(await cloud.listAggregates(signal))).toBe(true);
    });

    it('knows nothing of hosts and servers that do not exist', async () => {
      expect(await cloud.readServer(nobody, signal)).toBeNull();
      expect(await cloud.listServers(signal, 'nosuch')).toEqual([]);
      expect(await cloud.listAgents(signal, 'nosuch')).toEqual([]);
      expect(await cloud.listComputeServices(signal, 'nosuch')).toEqual([]);
      expect(await cloud.listEvacuations('nosuch', signal)).toEqual([]);
      expect(await cloud.listPorts({ instanceId: nobody }, signal)).toEqual([]);
    });

    it('lists servers to the end whatever the size of a page', { timeout: limitMs }, async () => {
      const ids = [
        await world.boot('page-1', living),
        await world.boot('page-2', living),
        await world.boot('page-3', other),
        await world.boot('page-4', other, { stopped: true }),
      ];
      for (const pageSize of [1, 2, 3, 4, 100]) {
        const paging = open({ pageSize });
        expect((await paging.listServers(signal)).map((s) => s.id).sort()).toEqual([...ids].sort());
        expect(await paging.listHypervisors(signal)).toHaveLength(world.hosts.length);
        expect(await paging.listPorts({ host: living }, signal)).toHaveLength(2);
        await paging.close();
      }
      const here = await cloud.listServers(signal, other);
      expect(here.map((s) => s.name).sort()).toEqual(['page-3', 'page-4']);
      const stopped = await cloud.readServer(ids[3] ?? '', signal);
      expect(stopped).toMatchObject({ name: 'page-4', host: other, status: 'SHUTOFF', vmState: 'stopped' });
      const active = await cloud.readServer(ids[2] ?? '', signal);
      expect(active).toMatchObject({ host: other, status: 'ACTIVE', taskState: null, fault: null });
      expect(active?.addresses[0]).toMatchObject({ version: 4, type: 'fixed' });
      const ports = await cloud.listPorts({ instanceId: ids[2] ?? '' }, signal);
      expect(ports).toMatchObject([{ instanceId: ids[2], host: other, vifType: 'ovs' }]);
    });

    it('disables, forces down and enables a compute service', async () => {
      const { id } = await service(living);
      const reason = 'é'.repeat(300);
      const change = { status: 'disabled', disabledReason: reason, forcedDown: true } as const;
      const disabled = await cloud.changeComputeService(id, change, signal);
      expect(disabled).toMatchObject({ status: 'disabled', forcedDown: true, state: 'down' });
      expect(disabled.disabledReason).toHaveLength(255);
      expect(await service(living)).toMatchObject({ status: 'disabled', forcedDown: true, state: 'down' });
      const enabled = await cloud.changeComputeService(id, { status: 'enabled', forcedDown: false }, signal);
      expect(enabled).toMatchObject({ status: 'enabled', forcedDown: false, disabledReason: null });
      await eventually(
        () => service(living),
        (s) => s.state === 'up',
      );
      const senseless = cloud.changeComputeService(id, { status: 'enabled', disabledReason: 'no' }, signal);
      await expect(senseless).rejects.toMatchObject({ outcome: 'not-done' });
      const unknown = cloud.changeComputeService(nobody, { status: 'enabled' }, signal);
      await expect(unknown).rejects.toMatchObject({ outcome: 'refused', status: 404 });
    });

    it('refuses to evacuate a living host, to nowhere, and what does not exist', {
      timeout: limitMs,
    }, async () => {
      const id = await world.boot('stays', living);
      await refusal(cloud.evacuate(id, target, signal), 400, `Compute service of ${living} is still in use.`);
      await refusal(cloud.evacuate(id, 'nosuch', signal), 404, 'Compute host nosuch not found.');
      await refusal(cloud.evacuate(id, living, signal), 400, "The target host can't be the same one.");
      await refusal(cloud.evacuate(nobody, target, signal), 404, `Instance ${nobody} could not be found.`);
      expect(await cloud.readServer(id, signal)).toMatchObject({ host: living, status: 'ACTIVE' });
      expect(await cloud.listEvacuations(living, signal)).toEqual([]);
    });

    it('reboots hard and binds a port where it is', { timeout: limitMs }, async () => {
      const id = await world.boot('rebooted', living);
      await cloud.hardReboot(id, signal);
      await eventually(
        () => cloud.readServer(id, signal),
        (s) => s?.status === 'ACTIVE' && s.taskState === null,
      );
      const [port] = await cloud.listPorts({ instanceId: id }, signal);
      await cloud.bindPort(port?.id ?? '', target, signal);
      const bound = (): ReturnType<Cloud['listPorts']> => cloud.listPorts({ instanceId: id }, signal);
      expect(await bound()).toMatchObject([{ host: target }]);
      await cloud.bindPort(port?.id ?? '', living, signal);
      expect(await bound()).toMatchObject([{ host: living }]);
      await expect(cloud.bindPort(nobody, living, signal)).rejects.toMatchObject({ outcome: 'refused' });
    });

    it('moves an allocation, and finds it moved', { timeout: limitMs }, async () => {
      const id = await world.boot('allocated', living);
      await cloud.moveAllocation(id, living, target, signal);
      await cloud.moveAllocation(id, living, target, signal);
      await cloud.moveAllocation(id, target, living, signal);
      await expect(cloud.moveAllocation(id, 'nosuch', target, signal)).rejects.toMatchObject({
        outcome: 'not-done',
      });
      await expect(cloud.moveAllocation(nobody, living, target, signal)).rejects.toMatchObject({
        outcome: 'not-done',
      });
    });

    it('evacuates a dead host; a disabled target fails after it was accepted', {
      timeout: limitMs * 3,
    }, async () => {
      const running = await world.boot('running', dead);
      const stopped = await world.boot('stopped', dead, { stopped: true });
      await world.kill(dead);
      await world.spare(target);
      const before = Date.now();
      await condemn(dead);
      expect(Date.now() - before).toBeLessThan(5_000);
      expect(await service(dead)).toMatchObject({ state: 'down', status: 'disabled', forcedDown: true });

      await cloud.evacuate(running, target, signal);
      const failed = await eventually(
        () => cloud.readServer(running, signal),
        (s) => s?.status === 'ERROR',
      );
      expect(failed).toMatchObject({ host: dead, vmState: 'error' });
      expect(failed?.fault).toMatch(/^No valid host was found/);

      await world.unspare(target);
      await Promise.all([cloud.evacuate(running, target, signal), cloud.evacuate(stopped, target, signal)]);
      expect(await settledOn(running, target)).toMatchObject({ status: 'ACTIVE', vmState: 'active' });
      expect(await settledOn(stopped, target)).toMatchObject({ status: 'SHUTOFF', vmState: 'stopped' });
      expect(await cloud.listServers(signal, dead)).toEqual([]);
      const ports = await eventually(
        () => cloud.listPorts({ instanceId: running }, signal),
        (found) => found.every((port) => port.status === 'ACTIVE'),
      );
      expect(ports).toMatchObject([{ host: target, vifType: 'ovs' }]);

      const migrations = await cloud.listEvacuations(dead, signal);
      expect(migrations.map((m) => m.status).sort()).toEqual(['done', 'done', 'error']);
      expect(migrations.map((m) => m.createdAtMs)).toEqual(
        migrations
          .map((m) => m.createdAtMs)
          .sort()
          .reverse(),
      );
      expect(migrations[0]).toMatchObject({ source: dead, target });
      const onePerPage = open({ pageSize: 1 });
      expect(await onePerPage.listEvacuations(dead, signal)).toHaveLength(3);
      await onePerPage.close();

      const up = cloud.changeComputeService((await service(dead)).id, { forcedDown: false }, signal);
      await expect(up).rejects.toMatchObject({ outcome: 'refused', status: 400 });
      await expect(up).rejects.toThrow(/Unable to force up host/);
      await rehabilitate(dead);
      await eventually(
        () => cloud.listEvacuations(dead, signal),
        (all) => all.filter((m) => m.status === 'completed').length === 2,
      );
    });

    it('evacuates once more what a failed evacuation left, and the same host again', {
      timeout: limitMs * 2,
    }, async () => {
      const id = await world.boot('again', dead);
      await world.kill(dead);
      await condemn(dead);
      await cloud.evacuate(id, other, signal);
      expect(await settledOn(id, other)).toMatchObject({ status: 'ACTIVE' });
      const [newest] = await cloud.listEvacuations(dead, signal);
      expect(newest).toMatchObject({ instanceId: id, target: other, status: 'done' });
      await rehabilitate(dead);
    });
  });
}

async function serviceOf(cloud: Cloud, host: string): Promise<ComputeService> {
  const [service] = await cloud.listComputeServices(signal, host);
  if (!service) throw new Error(`no compute service on ${host}`);
  return service;
}

const isDone = (change: Promise<unknown>): Promise<boolean> =>
  change.then(
    () => true,
    () => false,
  );

async function refusal(change: Promise<unknown>, status: number, message: string): Promise<void> {
  const error = await change.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CloudError);
  expect(error).toMatchObject({ outcome: 'refused', status, message });
}

async function poll<T>(read: () => Promise<T>, good: (value: T) => boolean, limitMs: number): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (good(value)) return value;
    if (Date.now() > until) throw new Error(`not within ${limitMs} ms: ${JSON.stringify(value)}`);
    await systemClock.sleep(100);
  }
}
