// Sense: the network agents of a host that report by themselves (Open vSwitch, SR-IOV, DHCP, …). Pure.
import { kindOfAgent } from '../../documents/inventory.ts';
import { ago, type Reading, type Sense, type SenseCase } from './sense.ts';

export const agentsSense: Sense = {
  name: 'agents',
  kind: 'control-plane',
  title: 'network agents that report themselves',
  help: 'a network agent whose host in Neutron is the service host in Nova (or its short or full name)',
  speak,
};

function speak({ host, picture, nowMs, rules }: SenseCase): Reading {
  const agents = picture.agentsOf(host).filter((agent) => kindOfAgent(agent) === 'reports');
  const newest = agents.reduce<(typeof agents)[number] | null>(
    (best, agent) => (best === null || agent.heartbeatAtMs > best.heartbeatAtMs ? agent : best),
    null,
  );
  if (newest === null)
    return { says: 'cannot-tell', why: 'no network agent of it reports by itself', heardAtMs: null };
  const { heartbeatAtMs: heardAtMs, binary } = newest;
  const when = ago(heardAtMs, nowMs);
  if (nowMs - heardAtMs > rules.heartbeatPeriodMs)
    return { says: 'silent', why: `the newest heartbeat of its agents is ${binary}'s ${when}`, heardAtMs };
  const runsOutAtMs = heardAtMs + rules.heartbeatPeriodMs + 1;
  return { says: 'alive', why: `heartbeat of ${binary} ${when}`, heardAtMs, runsOutAtMs };
}
