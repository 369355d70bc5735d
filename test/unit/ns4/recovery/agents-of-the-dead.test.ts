// The agents of a host under recovery, asked again: under Neutron's name for it, and OVN's by their earlier beats.
import { expect, test } from 'vitest';
import type { AgentRecord } from '../../../../src/ns4/cloud/cloud.ts';
import { AgentsOfTheDead } from '../../../../src/ns4/recovery/agents-of-the-dead.ts';
import type { OvnState } from '../../../../src/shared/documents/inventory.ts';
import { instantClock } from '../../../support/instant-clock.ts';
import { agent, nowMs } from '../../../support/inventories.ts';

const never = new AbortController().signal;

function cloud(records: AgentRecord[], skewMs = 0) {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    clockSkewMs: () => skewMs,
    listAgents: async (_: AbortSignal, host?: string) => {
      asked.push(host);
      return records.filter((record) => record.host === host);
    },
  };
}

const row = (change: Partial<AgentRecord>): AgentRecord => ({
  ...{ id: '1', host: 'hv01', binary: 'neutron-openvswitch-agent', heartbeatAtMs: nowMs, alive: true },
  ...change,
});

test('FQDN: asked for under the name that Neutron has, and its heartbeat is that of the service host', async () => {
  const known = agent('hv01', 90_000, { id: '1', statedHost: 'hv01.example.org' });
  const neutron = cloud([row({ host: 'hv01.example.org', heartbeatAtMs: nowMs + 70_000 })], 70_000);
  const found = await new AgentsOfTheDead('hv01', [known]).ask(neutron, instantClock(nowMs), never);
  expect(neutron.asked).toEqual(['hv01', 'hv01.example.org']);
  expect(found).toMatchObject([{ host: 'hv01', heartbeatAtMs: nowMs }]);
});

const state = (change: Partial<OvnState> = {}): OvnState => ({
  ...{ says: 'silent', why: 'missed', baseMs: 100, isBehind: true, silentSinceMs: null },
  ...{ heardAtMs: null, heardAfterMs: null, lookedAtMs: nowMs - 4_000, ...change },
});

test.each<[string, OvnState | null, number[], (string | null)[]]>([
  ['its beat moves', state(), [100, 101], [null, 'alive']],
  ['it moves once: said once, and the next look compares with that', state(), [101, 101], ['alive', null]],
  ['an API worker lags behind, and another does not', state(), [90, 100], [null, null]],
  ['a row that is new', null, [500, 500, 501], [null, null, 'alive']],
  ['stamps that follow the request', state({ why: 'stamp-is-the-request' }), [500, 900], [null, null]],
])('OVN: %s', async (_, ovn, beats, says) => {
  const known = ovn === null ? [] : [agent('hv01', 0, { id: '1', binary: 'ovn-controller', ovn })];
  const watch = new AgentsOfTheDead('hv01', known);
  const seen: (string | null)[] = [];
  for (const heartbeatAtMs of beats) {
    const neutron = cloud([row({ binary: 'ovn-controller', heartbeatAtMs })]);
    const [found] = await watch.ask(neutron, instantClock(nowMs), never);
    seen.push(found?.ovn?.says ?? null);
  }
  expect(seen).toEqual(says);
});

test.each<[string, Partial<OvnState>, Partial<AgentRecord>]>([
  ['Neutron calls it dead by now', { why: 'called-dead' }, { alive: false }],
  [
    'its chassis was deleted from OVN',
    { why: 'deleted' },
    { alive: false, host: '("Chassis" register deleted)' },
  ],
])('stamps follow the request, as those of the others tell, and %s: no beat', async (_, ovn, change) => {
  const known = agent('hv01', 0, {
    ...{ id: '1', binary: 'ovn-controller', statedHost: change.host ?? 'hv01', ovn: state(ovn) },
  });
  const other = agent('hv02', 0, {
    ...{
      id: '2',
      binary: 'ovn-controller',
      ovn: state({ says: 'cannot-tell', why: 'stamp-is-the-request' }),
    },
  });
  const watch = new AgentsOfTheDead('hv01', [known], [known, other]);
  const neutron = cloud([row({ binary: 'ovn-controller', heartbeatAtMs: 900, ...change })]);
  const found = await watch.ask(neutron, instantClock(nowMs), never);
  expect(found.map(({ ovn: said }) => said)).toEqual([null]);
});

test('a chassis that was deleted from OVN beats no more, whatever Neutron remembers of it', async () => {
  const deleted = '("Chassis" register deleted)';
  const known = agent('hv01', 0, {
    ...{ id: '1', binary: 'ovn-controller', statedHost: deleted, ovn: state({ why: 'deleted' }) },
  });
  const neutron = cloud([row({ binary: 'ovn-controller', heartbeatAtMs: 900, alive: false, host: deleted })]);
  const found = await new AgentsOfTheDead('hv01', [known]).ask(neutron, instantClock(nowMs), never);
  expect(found.map(({ ovn }) => ovn)).toEqual([null]);
});

test('a row of before an upgrade of Neutron, when stamps followed the request: others beat, so its beat counts', async () => {
  const controller = (id: string, ovn: OvnState) => agent('hv01', 0, { id, binary: 'ovn-controller', ovn });
  const known = controller('1', state());
  const old = controller('2', state({ says: 'cannot-tell', why: 'stamp-is-the-request' }));
  const beating = controller('3', state({ says: 'alive', why: 'moved' }));
  const neutron = cloud([row({ binary: 'ovn-controller', heartbeatAtMs: 101 })]);
  const watch = new AgentsOfTheDead('hv01', [known], [known, old, beating]);
  const [found] = await watch.ask(neutron, instantClock(nowMs), never);
  expect(found?.ovn?.says).toBe('alive');
});
