// Neutron's list of agents, as both skins show it: those that report by themselves, and OVN's.
import type { Host, Reporter } from './model.ts';
import { isChassisAlive, ovnBinaries, ping } from './ovn.ts';
import { isAgentAlive, lastReport } from './reports.ts';
import type { World } from './world.ts';

/** One row; the beat is by the clock that stamps it. */
export interface AgentRow {
  readonly id: string;
  /** As Neutron names its host. */
  readonly host: string;
  readonly binary: string;
  readonly beatMs: number;
  readonly alive: boolean;
  readonly of: Host;
}

/** What stands for the host of a chassis whose row was deleted. */
const deletedChassis = '("Chassis" register deleted)';

/** Lists them, which on OVN is the ping as well. */
export function listAgents(world: World): AgentRow[] {
  ping(world);
  return [...world.hosts.values()].flatMap((host) =>
    host.agents
      .filter(({ deleted }) => !deleted)
      .flatMap((agent) => (isOvn(world, agent) ? ovnRow(world, host, agent) : [row(world, host, agent)])),
  );
}

const isOvn = (world: World, { binary }: Reporter): boolean =>
  world.ovn !== null && ovnBinaries.some((known) => known === binary);

function row(world: World, host: Host, agent: Reporter): AgentRow {
  return {
    ...{ id: agent.id, host: host.agentHost, binary: agent.binary, of: host },
    beatMs: lastReport(agent, world.nowMs) + world.cloudOffsetMs,
    alive: isAgentAlive(world, agent),
  };
}

function ovnRow(world: World, host: Host, agent: Reporter): AgentRow[] {
  const chassis = world.ovn?.chassis.get(host.name);
  if (chassis === undefined || chassis.gone === 'forgotten') return [];
  const isController = agent.binary === 'ovn-controller';
  const beatMs = isController ? chassis.beatMs : chassis.metadataBeatMs;
  return [
    {
      ...{ id: agent.id, binary: agent.binary, of: host },
      host: chassis.gone === 'no' ? host.agentHost : deletedChassis,
      beatMs: world.ovn?.era === 'request' ? world.cloudNowMs : beatMs + world.cloudOffsetMs,
      alive: isChassisAlive(world, host),
    },
  ];
}
