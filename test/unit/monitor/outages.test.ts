// Partial outages as stories of the monitor: what failed together is refused once by its part, the rest goes on.
import { expect, test } from 'vitest';
import { agent, hypervisor, type Inventory, inventory, server, spare } from '../../support/inventories.ts';
import { done, Story, type World } from '../../support/monitor-story.ts';

const zoneA = ['hv01', 'hv02', 'hv03', 'hv04'];
const zoneB = ['hv11', 'hv12', 'hv13', 'hv14', 'hv15', 'hv16'];
const hypervisors = [
  ...zoneA.map((host) => hypervisor(host, { zone: 'a' })),
  spare('hv05', { zone: 'a' }),
  ...zoneB.map((host) => hypervisor(host, { zone: 'b' })),
  spare('hv19', { zone: 'b' }),
];
const servers = [...zoneA, ...zoneB].map((host) => server(`vm${host.slice(2)}`, host));

interface Sight {
  /** Agents silent for two minutes. */
  silent: string[];
  /** Compute services down. */
  down?: string[];
  /** Addresses that do not answer; a host's name stands for its instance too. */
  dark?: string[];
}

function cloud(sight: Sight, change: Partial<World> = {}, rules: { deadBackoff?: number } = {}): Story {
  const s: Story = new Story(
    {
      inventory: (): Inventory =>
        inventory(
          {
            hypervisors: hypervisors.map((h) => (sight.down?.includes(h.host) ? { ...h, state: 'down' } : h)),
            agents: sight.silent.map((host) => agent(host, 0, { heartbeatAtMs: s.atMs - 120_000 })),
            servers,
          },
          s.atMs,
        ),
      finding: (name) => {
        const number = name.replace(/^(hv|id-vm)/, '');
        return (sight.dark ?? []).includes(`hv${number}`) ? 'silent' : 'answers';
      },
      ...change,
    },
    rules,
  );
  return s;
}

test('RabbitMQ fails: the cloud is refused once, nobody is inspected, and its end is told', () => {
  const sight: Sight = { silent: [], down: [...zoneA, ...zoneB] };
  const s = cloud(sight);
  s.round();
  expect(s.texts).toEqual([
    '10 of 12 compute services are down in the cloud (hv01, hv02, hv03, hv04, hv11, hv12, hv13, hv14 and 2 more): that looks like the control plane or the network, not like dead hosts. Nobody is judged meanwhile.',
  ]);
  sight.silent = [...zoneA, ...zoneB];
  s.round().round();
  expect(s.refusals, 'the agents too: worse is news').toEqual([
    'control-plane-suspect',
    'control-plane-suspect',
  ]);
  sight.silent = zoneA;
  s.round();
  expect(s.refusals, 'better is not').toHaveLength(2);
  sight.silent = [];
  sight.down = [];
  s.round().round();
  expect(s.texts.slice(2)).toEqual(['Agents and compute services of the cloud report again.']);
  expect(s.requests.filter((r) => r.name === 'scan')).toEqual([]);
  expect(s.state.raised).toEqual([]);
  expect(s.state.incidents).toEqual([]);
});

test('hosts that die after a zone was refused are named, but not one by one while heartbeats run out', () => {
  const sight: Sight = { silent: [], down: ['hv01', 'hv02', 'hv03'] };
  const s = cloud(sight, {}, { deadBackoff: 2 });
  s.round();
  sight.down = ['hv01', 'hv02', 'hv03', 'hv04'];
  s.round();
  expect(s.texts, 'the first minute').toEqual([expect.stringMatching(/^3 of 5 .*\(hv01, hv02, hv03\)/)]);
  s.atMs += 120_000;
  s.round();
  expect(s.texts.slice(1)).toEqual([expect.stringMatching(/^4 of 5 .*\(hv01, hv02, hv03, hv04\)/)]);
  sight.down = ['hv02', 'hv03', 'hv04'];
  s.atMs += 120_000;
  s.round().round();
  expect(s.texts, 'better is no news').toHaveLength(2);
});

test('nova-conductor fails: said though nobody is suspicious', () => {
  const s = cloud({ silent: [], down: hypervisors.map((h) => h.host) });
  s.round().round();
  expect(s.refusals).toEqual(['control-plane-suspect']);
  expect(s.events[0]).toMatchObject({ refusal: { of: 'compute services', why: 'most', hosts: [] } });
});

test("a zone's network fails: its hosts are refused by name, a dead host of another zone is recovered", () => {
  const sight: Sight = { silent: ['hv01', 'hv02', 'hv03', 'hv11'], dark: ['hv01', 'hv02', 'hv03', 'hv11'] };
  const s = cloud(sight);
  s.round();
  expect(s.refusals).toEqual(['control-plane-suspect']);
  expect(s.events.find((e) => e.kind === 'refused')).toMatchObject({
    refusal: {
      scope: { kind: 'zone', name: 'a' },
      of: 'agents',
      why: 'most',
      hosts: ['hv01', 'hv02', 'hv03'],
      total: 5,
    },
  });
  expect(s.recoveries).toEqual([{ dead: 'hv11', spare: 'hv19', attempt: 1 }]);
  const scanned = s.requests.flatMap((r) => (r.name === 'scan' ? r.data.targets.map((t) => t.name) : []));
  expect(
    scanned.filter((name) => name.startsWith('hv0')),
    'none of the zone is inspected',
  ).toEqual([]);
  sight.silent = ['hv01', 'hv02', 'hv03', 'hv04'];
  s.round();
  expect(s.refusals, 'one more of it is no news').toHaveLength(1);
  sight.silent = [];
  s.round();
  expect(s.texts.at(-1)).toBe('Agents and compute services of zone a report again.');
});

test('a third of a zone: dead only when a living member of it answers the same scan', () => {
  const lost = ['hv01', 'hv02'];
  const cut = cloud({ silent: lost, dark: zoneA.concat('hv05') }, {}, { deadBackoff: 2 });
  cut.round().round();
  expect(cut.recoveries).toEqual([]);
  expect(cut.texts.filter((text) => text.includes('a network that is cut'))).toEqual([
    'No answer from hv01, hv02; but 2 of 5 hypervisors have silent agents in zone a (hv01, hv02), and nobody else there answers either: that looks like a network that is cut, not like dead hosts. Nothing done.',
  ]);
  const dead = cloud({ silent: lost, dark: lost }, {}, { deadBackoff: 2 });
  dead.round();
  expect(dead.recoveries).toEqual([{ dead: 'hv01', spare: 'hv05', attempt: 1 }]);
  expect(dead.refusals, 'two dead, one spare').toEqual(['no-spare']);
});

test('the zone is cut between the host scan and the guest scan: nothing is done', () => {
  const sight: Sight = { silent: ['hv01', 'hv02'], dark: ['hv01', 'hv02'] };
  const s: Story = cloud(
    sight,
    {
      scan: () => {
        if (s.state.watches.hosts.kind === 'scanning-guests') sight.dark = [...zoneA, 'hv05'];
        return null;
      },
    },
    { deadBackoff: 2 },
  );
  s.round();
  expect(s.refusals).toEqual(['control-plane-suspect']);
  expect(s.recoveries).toEqual([]);
});

test('most go stale while the guests are scanned: nothing is done', () => {
  const sight: Sight = { silent: ['hv01'], dark: ['hv01'] };
  const s: Story = cloud(sight, {
    scan: () => {
      if (s.state.watches.hosts.kind === 'scanning-guests') sight.silent = [...zoneA, ...zoneB];
      return null;
    },
  });
  s.round();
  expect(s.refusals).toEqual(['control-plane-suspect']);
  expect(s.recoveries).toEqual([]);
});

test('a host under recovery and one recovered before do not make the control plane suspect', () => {
  const s = cloud({ silent: ['hv01'], dark: ['hv01'] }, { recover: () => ({ state: 'running' }) });
  s.round();
  expect(s.recoveries).toHaveLength(1);
  s.round().round();
  expect(s.refusals).toEqual([]);
});

test('ns4 refuses for the same reason: the host keeps it until it changes', () => {
  const refusal = {
    name: 'control-plane-suspect' as const,
    ...{
      scope: { kind: 'zone' as const, name: 'a' },
      of: 'agents' as const,
      stale: ['hv01', 'hv02', 'hv03'],
      total: 5,
    },
    ...{ why: 'most' as const, hosts: ['hv01'] },
  };
  const s = cloud(
    { silent: ['hv01'], dark: ['hv01'] },
    { recover: (r) => done(r, { outcome: 'refused', acted: false, instances: [], refusal }) },
  );
  s.round();
  expect(s.refusals).toEqual(['control-plane-suspect']);
  expect(s.state.incidents[0]?.raised?.refusal.name).toBe('control-plane-suspect');
  expect(s.state.cooldown).toBeNull();
});

test('ns4 refuses as nobody else of its zone answers, and so does the next round: said once', () => {
  const refusal = {
    name: 'control-plane-suspect' as const,
    ...{
      scope: { kind: 'zone' as const, name: 'a' },
      of: 'agents' as const,
      stale: ['hv01', 'hv05'],
      total: 5,
    },
    ...{ why: 'no-answer' as const, hosts: ['hv01'] },
  };
  const sight: Sight = { silent: ['hv01'], dark: ['hv01'] };
  const s = cloud(sight, {
    recover: (r) => done(r, { outcome: 'refused', acted: false, instances: [], refusal }),
  });
  s.round();
  Object.assign(sight, { silent: ['hv01', 'hv05'], dark: [...zoneA, 'hv05'] });
  s.round().round();
  expect(s.refusals).toEqual(['control-plane-suspect']);
  expect(s.state.incidents[0]?.raised?.refusal).toEqual(refusal);
});
