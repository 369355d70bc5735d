// Neutron: the agents' heartbeats, and where ports are bound.
import type { AgentRecord, Cloud, PortBinding } from '../cloud/cloud.ts';
import { readList } from './listing.ts';
import { agentItem, portItem } from './records.ts';
import type { Session } from './session.ts';

/** Asked for by name, as an agent's configuration and a port's rules are many times as long. */
const agentFields = ['id', 'host', 'binary', 'heartbeat_timestamp', 'alive'];
const portFields = ['id', 'device_id', 'device_owner', 'binding:host_id', 'binding:vif_type', 'status'];
const fields = (names: readonly string[]): [string, string][] => names.map((name) => ['fields', name]);

export class Network implements Pick<Cloud, 'listAgents' | 'listPorts' | 'bindPort'> {
  readonly #session: Session;
  readonly #pageSize: number;

  constructor(session: Session, pageSize: number) {
    this.#session = session;
    this.#pageSize = pageSize;
  }

  async listAgents(signal: AbortSignal, host?: string): Promise<AgentRecord[]> {
    const query = fields(agentFields);
    if (host !== undefined) query.push(['host', host]);
    const call = { service: 'network', path: '/agents' } as const;
    // Older Neutrons ignore a limit here, newer ones do not (docs/facts.md#lists-and-pages): all is sent without one.
    const list = { call, query, key: 'agents', item: agentItem, idOf: agentId, pageSize: null };
    const agents = await readList(this.#session, list, signal);
    return agents.filter((agent) => host === undefined || agent.host === host);
  }

  async listPorts(
    filter: { host: string } | { instanceId: string },
    signal: AbortSignal,
  ): Promise<PortBinding[]> {
    const query = fields(portFields);
    if ('host' in filter) query.push(['binding:host_id', filter.host]);
    else query.push(['device_id', filter.instanceId]);
    const call = { service: 'network', path: '/ports' } as const;
    const list = { call, query, key: 'ports', item: portItem, idOf: portId, pageSize: this.#pageSize };
    const ports = await readList(this.#session, list, signal);
    // "compute:nova": the zone's name follows. Routers and DHCP have ports on hypervisors, too.
    return ports.filter((port) => port.owner.startsWith('compute:')).map(({ owner: _, ...port }) => port);
  }

  async bindPort(portId: string, host: string, signal: AbortSignal): Promise<void> {
    const path = `/ports/${encodeURIComponent(portId)}`;
    const body = { port: { 'binding:host_id': host } };
    await this.#session.call({ service: 'network', method: 'PUT', path, body }, signal);
  }
}

const agentId = (agent: { id: string }): string => agent.id;
const portId = (port: { id: string }): string => port.id;
