// Heartbeats as stories of the monitor: whose word counts, and what is not said of whom nobody can tell.
import { expect, test } from 'vitest';
import type { Agent, Hypervisor } from '../../../src/shared/documents/inventory.ts';
import { agent, hypervisor, type Inventory, inventory, server, spare } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

interface Sight {
  /** Age of the report of hv01's nova-compute, s; null: it never reported. */
  novaS: number | null;
  /** Of the heartbeat of its agent; null: it has none (any more). */
  agentS: number | null;
  /** Its cell does not answer. */
  cellDown?: boolean;
  /** All others have no agents either. */
  noAgents?: boolean;
}

/** hv01 answers nothing; hv02 and hv03 are well, hv04 is a spare. */
function cloud(sight: Sight): Story {
  const others = [
    hypervisor('hv02', { runningVms: 1 }),
    hypervisor('hv03', { runningVms: 1 }),
    spare('hv04'),
  ];
  const s: Story = new Story({
    inventory: (): Inventory => {
      const reportedAtMs = sight.novaS === null ? null : s.atMs - sight.novaS * 1_000;
      const hv01: Hypervisor = hypervisor('hv01', { reportedAtMs });
      const agents: Agent[] =
        sight.agentS === null ? [] : [agent('hv01', 0, { heartbeatAtMs: s.atMs - sight.agentS * 1_000 })];
      const hypervisors = sight.cellDown ? others : [hv01, ...others];
      const servers = [server('vm1', 'hv01'), server('vm2', 'hv02'), server('vm3', 'hv03')];
      const made = inventory({ hypervisors, agents, servers }, s.atMs);
      const isKept = (a: Agent) => (a.host === 'hv01' ? sight.agentS !== null : !sight.noAgents);
      return {
        ...made,
        hosts: {
          ...made.hosts,
          agents: made.hosts.agents.filter(isKept),
          cellDown: sight.cellDown ? ['hv01'] : [],
        },
      };
    },
    finding: (name) => (/^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
  });
  return s;
}

test('B1: its agent is dead and it answers nothing, but nova-compute reports: it lives', () => {
  const s = cloud({ novaS: 5, agentS: 400 }).round().round();
  expect(s.texts).toEqual([]);
  expect(s.recoveries).toEqual([]);
});

test('B1: a report between the scan of the host and the verdict saves it', () => {
  const sight: Sight = { novaS: 50, agentS: 400 };
  const s = cloud(sight);
  s.world.finding = (name) => {
    sight.novaS = 1;
    return name === 'hv01' ? 'silent' : 'answers';
  };
  s.round();
  expect(s.events.map(({ kind }) => kind)).toEqual(['suspects-found', 'hosts-silent', 'cleared']);
  expect(s.recoveries).toEqual([]);
  expect(s.state.incidents).toEqual([]);
});

test('D4: a host without agents, on a cloud without any, is judged by its nova-compute, and recovered', () => {
  const s = cloud({ novaS: 41, agentS: null, noAgents: true }).round();
  expect(s.recoveries).toMatchObject([{ dead: 'hv01', spare: 'hv04' }]);
});

test('D4: the agents of a dead host are deleted: it is as dead as before', () => {
  const sight: Sight = { novaS: 400, agentS: 400 };
  const s = cloud(sight);
  sight.agentS = null;
  s.round();
  expect(s.recoveries).toMatchObject([{ dead: 'hv01' }]);
});

test('D4: nobody can tell of it any more: "no longer suspicious" is not said before it is heard', () => {
  const sight: Sight = { novaS: null, agentS: 400 };
  const s = cloud(sight);
  s.world.finding = () => 'answers';
  s.round();
  expect(s.refusals).toEqual(['host-answers']);
  sight.agentS = null;
  s.round();
  expect(s.events.filter(({ kind }) => kind === 'cleared')).toEqual([]);
  sight.novaS = 1;
  s.round();
  expect(s.events.filter(({ kind }) => kind === 'cleared')).toHaveLength(1);
});

test('D5: the cell of a suspect goes down: nobody judges it, and nobody calls it well', () => {
  const sight: Sight = { novaS: 400, agentS: 400 };
  const s = cloud(sight);
  s.world.finding = () => 'answers';
  s.round();
  sight.cellDown = true;
  s.round();
  expect(s.events.filter(({ kind }) => kind === 'cleared')).toEqual([]);
  sight.cellDown = false;
  sight.novaS = 1;
  s.round();
  expect(s.events.filter(({ kind }) => kind === 'cleared')).toHaveLength(1);
});
