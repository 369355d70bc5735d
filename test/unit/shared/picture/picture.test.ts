// A cloud asked by host: what each question answers, and that servers nobody read are not taken for none.
import { describe, expect, it } from 'vitest';
import { onNoHost } from '../../../../src/shared/documents/inventory.ts';
import { countsOf, Picture, serversByHost } from '../../../../src/shared/picture/picture.ts';
import { agent, hypervisor, inventory, server } from '../../../support/inventories.ts';

const { hosts, servers } = inventory({
  hypervisors: [hypervisor('hv01'), hypervisor('hv02'), hypervisor('constructor')],
  agents: [
    agent('hv01', 30_000),
    agent('hv01', 5_000, { binary: 'neutron-l3-agent' }),
    agent('hv02', 90_000),
  ],
  servers: [
    server('vm1', 'hv01'),
    server('vm2', 'hv02'),
    server('vm3', 'hv01'),
    server('shelved', 'hv01', { host: null }),
    server('elsewhere', 'bare-metal'),
  ],
});

describe('a picture', () => {
  const picture = Picture.of(hosts, servers);

  it('knows hosts and their agents', () => {
    expect(picture.hypervisor('hv02')).toBe(hosts.hypervisors[1]);
    expect(picture.hypervisor('hv09')).toBeUndefined();
    expect(picture.agentsOf('hv01').map((a) => a.binary)).toEqual([
      'neutron-openvswitch-agent',
      'neutron-l3-agent',
    ]);
    expect(picture.agentsOf('hv09')).toEqual([]);
  });

  it('counts the servers of every host, also of one that is no hypervisor, and of none', () => {
    expect(picture.instanceCount).toBe(5);
    expect(['hv01', 'hv02', 'bare-metal', onNoHost].map((host) => picture.instancesOn(host))).toEqual([
      2, 1, 1, 1,
    ]);
    expect(picture.instancesOn('hv09')).toBe(0);
    expect(picture.instancesOn('constructor'), 'a host may be called anything').toBe(0);
    expect(picture.hostsWithInstances).toEqual(['hv01', 'hv02', onNoHost, 'bare-metal']);
  });

  it('tells the most that the count of Nova or the list has on a host, or that neither tells', () => {
    const counted = (runningVms: number | null) => ({
      ...hosts,
      hypervisors: [hypervisor('hv01', { runningVms })],
    });
    const most = (runningVms: number | null, listed: typeof servers | null) =>
      Picture.of(counted(runningVms), listed).mostInstancesOn('hv01');
    expect([most(3, servers), most(0, servers), most(null, servers)]).toEqual([3, 2, 2]);
    expect([most(3, null), most(0, null), most(null, null)]).toEqual([3, 0, null]);
  });

  it('gives the servers of a host in their order', () => {
    expect(picture.serversOf('hv01').map((s) => s.name)).toEqual(['vm1', 'vm3']);
    expect(picture.serversOf('hv09')).toEqual([]);
  });
});

describe('a picture with the servers of some hosts', () => {
  const listed = serversByHost(servers);
  const read = new Map([['hv02', listed.get('hv02') ?? []]]);
  const picture = new Picture(hosts, countsOf(servers, listed), read);

  it('still counts all', () => {
    expect(picture.instancesOn('hv01')).toBe(2);
    expect(picture.instanceCount).toBe(5);
  });

  it('throws for a host that was not read: no answer is not "none"', () => {
    expect(picture.hostsRead).toEqual(['hv02']);
    expect(picture.serversOf('hv02').map((s) => s.name)).toEqual(['vm2']);
    expect(() => picture.serversOf('hv01')).toThrow('the servers of hv01 were not read');
  });
});

it('a picture of hosts alone says that servers were never listed', () => {
  const picture = Picture.of(hosts, null);
  expect([picture.serversCollectedAtMs, picture.instanceCount]).toEqual([null, null]);
  expect(picture.instancesOn('hv01')).toBe(0);
  expect(() => picture.serversOf('hv01')).toThrow('not read');
});
