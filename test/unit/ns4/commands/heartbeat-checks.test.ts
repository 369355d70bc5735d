// The line of `ns4 --check` on heartbeats.
import { expect, test } from 'vitest';
import { heartbeatsText } from '../../../../src/ns4/commands/heartbeat-checks.ts';
import { agent, hypervisor, inventory, nowMs } from '../../../support/inventories.ts';

const rules = { heartbeatPeriodMs: 40_000 };

test('kinds of agents, whom each sense hears, whom nobody could judge, and what is odd', () => {
  const { hosts } = inventory({
    hypervisors: [hypervisor('hv01'), hypervisor('hv02', { reportedAtMs: null })],
    agents: [agent('hv01', 5_000), agent('hv02', 5_000, { binary: 'ovn-controller' })],
  });
  expect(heartbeatsText(hosts, ['network agents of net01 belong to no hypervisor'], nowMs, rules)).toBe(
    'agents: 1 (report by themselves: neutron-openvswitch-agent), 1 (OVN, beat when asked: ovn-controller); ' +
      "of 2 hypervisors heard by network agents that report themselves 1, OVN agents 0, nova-compute's report 1; " +
      'CANNOT BE JUDGED: hv02 (no network agent of it reports by itself, its ovn-controller was never seen to beat yet, its nova-compute has never reported); ' +
      'network agents of net01 belong to no hypervisor',
  );
});
