// What Sonny expects of any cloud, through the Cloud port alone: the same tests run against a real OpenStack and
// against both skins of the pretend one, so that it cannot drift into a cloud that does not exist. Every expectation
// was seen on the real services. The tests of one contract share a world, and each leaves its hosts as it found them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cloud } from '../../src/ns4/cloud/cloud.ts';
import { bootSeen } from '../../src/ns4/disks/rebooted.ts';
import { evacuationContract } from './cloud-contract-evacuation.ts';
import { nobody, refusal, Stage, signal, type World } from './cloud-contract-stage.ts';

export type { World } from './cloud-contract-stage.ts';

/** Runs the contract as a suite of its own; `limitMs` is how long anything in this world may take. */
export function cloudContract(name: string, setup: () => Promise<World>, limitMs: number): void {
  describe.sequential(`the contract of a cloud: ${name}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = new Stage(await setup(), limitMs);
    }, limitMs);
    afterAll(async () => {
      await stage?.close();
    }, limitMs);

    it('describes what was reached', async (context) => {
      const description = (await stage.cloud.describe?.(signal)) ?? context.skip();
      expect(description.roles).toContain('admin');
      expect(description.computeMicroversion).toBe('2.87');
      expect(Math.abs(description.clockSkewMs)).toBeLessThan(2_000);
    });

    it('lists every hypervisor with its service and a beating agent', async () => {
      const { living } = stage.cast;
      const hypervisors = await stage.cloud.listHypervisors(signal);
      expect(hypervisors.map((h) => h.host).sort()).toEqual([...stage.world.hosts].sort());
      for (const hypervisor of hypervisors) {
        expect(hypervisor.address).toMatch(/^[\d.]+$/);
        expect(hypervisor.vcpus).toBeGreaterThan(0);
      }
      const services = await stage.cloud.listComputeServices(signal);
      expect(services.map((s) => s.host).sort()).toEqual([...stage.world.hosts].sort());
      for (const { state, status, forcedDown, reportedAtMs } of services) {
        expect({ state, status, forcedDown }).toEqual({ state: 'up', status: 'enabled', forcedDown: false });
        expect(Math.abs(stage.nowMs() - (reportedAtMs ?? 0))).toBeLessThan(60_000);
      }
      for (const agent of await stage.cloud.listAgents(signal)) {
        expect(agent.alive).toBe(true);
        expect(Math.abs(stage.nowMs() - agent.heartbeatAtMs)).toBeLessThan(60_000);
      }
      expect((await stage.cloud.listAgents(signal, living)).map((a) => a.host)).toEqual([living]);
      expect((await stage.cloud.listComputeServices(signal, living)).map((s) => s.host)).toEqual([living]);
      expect((await stage.cloud.listProjects(signal)).length).toBeGreaterThan(0);
      expect(Array.isArray(await stage.cloud.listAggregates(signal))).toBe(true);
    });

    it('knows nothing of hosts and servers that do not exist', async () => {
      expect(await stage.cloud.readServer(nobody, signal)).toBeNull();
      expect(await stage.cloud.listServers(signal, 'nosuch')).toEqual([]);
      expect(await stage.cloud.listAgents(signal, 'nosuch')).toEqual([]);
      expect(await stage.cloud.listComputeServices(signal, 'nosuch')).toEqual([]);
      expect(await stage.cloud.listEvacuations('nosuch', signal)).toEqual([]);
      expect(await stage.cloud.listPorts({ instanceId: nobody }, signal)).toEqual([]);
    });

    it('tells how long a hypervisor is up, where its driver knows', async () => {
      const told = await stage.cloud.readUptime(stage.cast.living, signal);
      expect(await stage.cloud.readUptime('nosuch', signal)).toBeNull();
      if (told === null) return;
      const seen = bootSeen(told, stage.nowMs());
      expect(seen, told).not.toBeNull();
      expect(seen?.notBeforeMs).toBeLessThan(stage.nowMs());
    });

    it('lists servers to the end whatever the size of a page', { timeout: limitMs }, async () => {
      const { other, living } = stage.cast;
      const ids = [
        await stage.world.boot('page-1', living),
        await stage.world.boot('page-2', living),
        await stage.world.boot('page-3', other),
        await stage.world.boot('page-4', other, { stopped: true }),
      ];
      for (const pageSize of [1, 2, 3, 4, 100]) {
        const paging = stage.world.open(pageSize);
        expect((await paging.listServers(signal)).map((s) => s.id).sort()).toEqual([...ids].sort());
        expect(await paging.listHypervisors(signal)).toHaveLength(stage.world.hosts.length);
        expect(await paging.listPorts({ host: living }, signal)).toHaveLength(2);
        await paging.close();
      }
      const here = await stage.cloud.listServers(signal, other);
      expect(here.map((s) => s.name).sort()).toEqual(['page-3', 'page-4']);
      const stopped = await stage.cloud.readServer(ids[3] ?? '', signal);
      expect(stopped).toMatchObject({ name: 'page-4', host: other, status: 'SHUTOFF', vmState: 'stopped' });
      const active = await stage.cloud.readServer(ids[2] ?? '', signal);
      expect(active).toMatchObject({ host: other, status: 'ACTIVE', taskState: null, fault: null });
      expect(active?.addresses[0]).toMatchObject({ version: 4, type: 'fixed' });
      const ports = await stage.cloud.listPorts({ instanceId: ids[2] ?? '' }, signal);
      expect(ports).toMatchObject([{ instanceId: ids[2], host: other, vifType: 'ovs' }]);
    });

    it('knows networks and addresses by their ids, as Neutron has them now', {
      timeout: limitMs,
    }, async () => {
      const networks = await stage.cloud.listNetworks(signal);
      expect(new Set(networks.map(({ id }) => id)).size).toBe(networks.length);
      const outside = networks.filter(({ isPublic }) => isPublic);
      expect(outside.length).toBeGreaterThan(0);
      const id = await stage.world.boot('addressed', stage.cast.living);
      const server = await stage.cloud.readServer(id, signal);
      // What Nova remembers names the network and is nothing to rely on.
      const [remembered] = server?.addresses ?? [];
      expect(remembered).toMatchObject({ networkId: null, external: false });
      expect(Math.abs(stage.nowMs() - (server?.launchedAtMs ?? 0))).toBeLessThan(60_000);
      for (const pageSize of [1, 100]) {
        const paging = stage.world.open(pageSize);
        const addresses = await paging.listInstanceAddresses(signal);
        const network = outside.find(({ name }) => name === remembered?.network);
        expect(addresses.filter(({ instanceId }) => instanceId === id)).toEqual([
          { instanceId: id, networkId: network?.id, address: remembered?.address, type: 'fixed' },
        ]);
        expect(await paging.listNetworks(signal)).toHaveLength(networks.length);
        await paging.close();
      }
    });

    it('disables, forces down and enables a compute service', async () => {
      const { living } = stage.cast;
      const { id } = await stage.service(living);
      const reason = 'é'.repeat(300);
      const change = { status: 'disabled', disabledReason: reason, forcedDown: true } as const;
      const disabled = await stage.cloud.changeComputeService(id, change, signal);
      expect(disabled).toMatchObject({ status: 'disabled', forcedDown: true, state: 'down' });
      expect(disabled.disabledReason).toHaveLength(255);
      expect(await stage.service(living)).toMatchObject({
        status: 'disabled',
        forcedDown: true,
        state: 'down',
      });
      const enabled = await stage.cloud.changeComputeService(
        id,
        { status: 'enabled', forcedDown: false },
        signal,
      );
      expect(enabled).toMatchObject({ status: 'enabled', forcedDown: false, disabledReason: null });
      await stage.eventually(
        () => stage.service(living),
        (s) => s.state === 'up',
      );
      const senseless = stage.cloud.changeComputeService(
        id,
        { status: 'enabled', disabledReason: 'no' },
        signal,
      );
      await expect(senseless).rejects.toMatchObject({ outcome: 'not-done' });
      const unknown = stage.cloud.changeComputeService(nobody, { status: 'enabled' }, signal);
      await expect(unknown).rejects.toMatchObject({ outcome: 'refused', status: 404 });
    });

    it('refuses to evacuate a living host, to nowhere, and what does not exist', {
      timeout: limitMs,
    }, async () => {
      const { target, living } = stage.cast;
      const id = await stage.world.boot('stays', living);
      await refusal(
        stage.cloud.evacuate(id, target, signal),
        400,
        `Compute service of ${living} is still in use.`,
      );
      await refusal(stage.cloud.evacuate(id, 'nosuch', signal), 404, 'Compute host nosuch not found.');
      await refusal(stage.cloud.evacuate(id, living, signal), 400, "The target host can't be the same one.");
      await refusal(
        stage.cloud.evacuate(nobody, target, signal),
        404,
        `Instance ${nobody} could not be found.`,
      );
      expect(await stage.cloud.readServer(id, signal)).toMatchObject({ host: living, status: 'ACTIVE' });
      expect(await stage.cloud.listEvacuations(living, signal)).toEqual([]);
    });

    it('reboots hard and binds a port where it is', { timeout: limitMs }, async () => {
      const { target, living } = stage.cast;
      const id = await stage.world.boot('rebooted', living);
      await stage.cloud.hardReboot(id, signal);
      await stage.eventually(
        () => stage.cloud.readServer(id, signal),
        (s) => s?.status === 'ACTIVE' && s.taskState === null,
      );
      const [port] = await stage.cloud.listPorts({ instanceId: id }, signal);
      await stage.cloud.bindPort(port?.id ?? '', target, signal);
      const bound = (): ReturnType<Cloud['listPorts']> => stage.cloud.listPorts({ instanceId: id }, signal);
      expect(await bound()).toMatchObject([{ host: target }]);
      await stage.cloud.bindPort(port?.id ?? '', living, signal);
      expect(await bound()).toMatchObject([{ host: living }]);
      await expect(stage.cloud.bindPort(nobody, living, signal)).rejects.toMatchObject({
        outcome: 'refused',
      });
    });

    it('moves an allocation, and finds it moved', { timeout: limitMs }, async () => {
      const { target, living } = stage.cast;
      const id = await stage.world.boot('allocated', living);
      const hypervisors = await stage.cloud.listHypervisors(signal);
      const [here = '', there = ''] = [living, target].map(
        (host) => hypervisors.find((hypervisor) => hypervisor.host === host)?.name,
      );
      await stage.cloud.moveAllocation(id, here, there, signal);
      await stage.cloud.moveAllocation(id, here, there, signal);
      await stage.cloud.moveAllocation(id, there, here, signal);
      await expect(stage.cloud.moveAllocation(id, 'nosuch', there, signal)).rejects.toMatchObject({
        outcome: 'not-done',
      });
      await expect(stage.cloud.moveAllocation(nobody, here, there, signal)).rejects.toMatchObject({
        outcome: 'not-done',
      });
    });

    evacuationContract(() => stage, limitMs);
  });
}
