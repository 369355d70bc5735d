// The agents of an inventory: how often they are listed, whose they are, and what is odd about them.
import { describe, expect, test } from 'vitest';
import type { AgentRecord } from '../../../../src/ns4/cloud/cloud.ts';
import { matchHosts } from '../../../../src/ns4/jobs/agent-hosts.ts';
import { agentsOf, lookAtAgents } from '../../../../src/ns4/jobs/read-agents.ts';
import type { Agent } from '../../../../src/shared/documents/inventory.ts';
import { instantClock } from '../../../support/instant-clock.ts';
import { nowMs } from '../../../support/inventories.ts';

const never = new AbortController().signal;
const hosts = (...names: string[]) => names.map((host) => ({ host, name: host }));
const day = 86_400_000;

describe('names', () => {
  test.each<[string, string[], { host: string; name: string }[], Record<string, string>, string[]]>([
    ['the same', ['hv01'], hosts('hv01', 'hv02'), { hv01: 'hv01' }, []],
    ['another case', ['HV01'], hosts('hv01'), { HV01: 'hv01' }, []],
    ['full name against short', ['hv01.a.org'], hosts('hv01', 'hv02'), { 'hv01.a.org': 'hv01' }, []],
    ['short name against full', ['hv01'], hosts('hv01.a.org'), { hv01: 'hv01.a.org' }, []],
    ['two domains for a short name', ['hv01'], hosts('hv01.a', 'hv01.b'), {}, ['hv01']],
    ['full names of two domains are two machines', ['hv01.a'], hosts('hv01.b'), {}, []],
    ['two full names for a short one', ['hv01.a', 'hv01.b'], hosts('hv01'), {}, ['hv01.a', 'hv01.b']],
    [
      "the hypervisor's own name decides",
      ['hv01.a', 'hv01.b'],
      [{ host: 'hv01', name: 'hv01.a' }],
      { 'hv01.a': 'hv01' },
      ['hv01.b'],
    ],
    ['a prefix is no short name', ['hv1'], hosts('hv10'), {}, []],
  ])('%s', (_, stated, known, matched, ambiguous) => {
    const found = matchHosts(stated, known);
    expect(Object.fromEntries(found.hostOf)).toEqual(matched);
    expect(found.ambiguous).toEqual(ambiguous);
  });
});

const row = (host: string, change: Partial<AgentRecord> = {}): AgentRecord => ({
  ...{
    id: `id-${host}`,
    host,
    binary: 'neutron-openvswitch-agent',
    heartbeatAtMs: nowMs - 5_000,
    alive: true,
  },
  ...change,
});
const read = (agents: AgentRecord[], known: string[], earlier: Agent[] = []) =>
  agentsOf({
    ...{ looks: [{ atMs: nowMs, agents }], earlier, hypervisors: hosts(...known), correctionMs: 0, nowMs },
  });

describe('oddities', () => {
  test('FQDN: the agents are those of the service host, and keep their own word for it', () => {
    const { agents, oddities } = read([row('hv01.example.org')], ['hv01']);
    expect(agents).toMatchObject([{ host: 'hv01', statedHost: 'hv01.example.org' }]);
    expect(oddities).toEqual([]);
  });

  test('rows silent for more than a day are ignored and named', () => {
    const old = row('hv01', {
      id: 'old',
      binary: 'neutron-linuxbridge-agent',
      heartbeatAtMs: nowMs - day - 1,
    });
    const { agents, oddities } = read([row('hv01'), old], ['hv01']);
    expect(agents.map(({ binary }) => binary)).toEqual(['neutron-openvswitch-agent']);
    expect(oddities).toEqual(['neutron-linuxbridge-agent on hv01: silent for more than a day, ignored']);
  });

  test('a dead OVN row left by an earlier system-id is ignored after a day, too', () => {
    const left = row('hv01', { binary: 'ovn-controller', alive: false, heartbeatAtMs: nowMs - day - 1 });
    const lives = row('hv01', { id: 'new', binary: 'ovn-controller' });
    expect(read([left, lives], ['hv01']).agents.map(({ id }) => id)).toEqual(['new']);
  });

  test('no agent at all: not that all are dead, but that they may not be seen', () => {
    const { oddities } = read([], ['hv01']);
    expect(oddities).toEqual([expect.stringContaining('may not see agents')]);
    expect(read([], []).oddities).toEqual([]);
  });

  test('ambiguous and unmatched ones are named', () => {
    const { oddities } = read([row('hv01'), row('net01')], ['hv01.a', 'hv01.b']);
    expect(oddities).toEqual([
      'network agents of hv01 fit no single hypervisor: left out',
      'network agents of net01 belong to no hypervisor',
    ]);
  });

  test('a row whose chassis was deleted is that of the host it had before', () => {
    const before = read([row('hv01', { binary: 'ovn-controller' })], ['hv01']).agents;
    const deleted = row('hv01', {
      binary: 'ovn-controller',
      host: '("Chassis" register deleted)',
      alive: false,
    });
    const { agents } = read([deleted, row('hv02', { binary: 'ovn-controller' })], ['hv01', 'hv02'], before);
    expect(agents.find(({ id }) => id === 'id-hv01')).toMatchObject({
      host: 'hv01',
      ovn: { says: 'silent' },
    });
  });

  test('a row that vanished with its hypervisor is forgotten', () => {
    const before = read([row('hv01', { binary: 'ovn-controller' })], ['hv01']).agents;
    expect(read([row('hv02', { binary: 'ovn-controller' })], ['hv02'], before).agents).toHaveLength(1);
  });
});

describe('how often agents are listed', () => {
  async function listed(binary: string, beats: readonly (readonly number[])[], earlier: Agent[] = []) {
    const clock = instantClock();
    const atMs: number[] = [];
    const began = clock.steadyMs();
    const listAgents = async () => {
      const shown = beats[atMs.length] ?? [];
      atMs.push(clock.steadyMs() - began);
      return shown.map((beat, i) => row(`hv0${i}`, { binary, heartbeatAtMs: beat }));
    };
    const looks = await lookAtAgents({ listAgents }, earlier, clock, never);
    return { atMs, looks };
  }

  test('once where all report by themselves', async () => {
    expect((await listed('neutron-openvswitch-agent', [[1, 1]])).atMs).toEqual([0]);
  });

  test('twice where OVN rows are, and at five seconds for one that is late', async () => {
    const { atMs, looks } = await listed('ovn-controller', [
      [1, 1],
      [2, 2],
    ]);
    expect(atMs).toEqual([0, 2_000]);
    const earlier = agentsOf({ looks, earlier: [], hypervisors: [], correctionMs: 0, nowMs }).agents;
    const next = [
      [2, 2],
      [3, 2],
      [3, 3],
    ];
    expect((await listed('ovn-controller', next, earlier)).atMs).toEqual([0, 2_000, 5_000]);
  });
});
