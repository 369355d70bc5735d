// Neutron: the agents' heartbeats, where ports are bound, and which addresses instances have.
import {
  type AgentRecord,
  type Cloud,
  CloudError,
  type InstanceAddress,
  type NetworkRecord,
  type PortBinding,
} from '../cloud/cloud.ts';
import { inPath } from '../cloud/outside.ts';
import { type List, readList } from './listing.ts';
import {
  addressedPortItem,
  agentItem,
  extensionItem,
  floatingItem,
  networkItem,
  policyItem,
  portItem,
} from './records.ts';
import type { Session } from './session.ts';

/** Asked for by name, as an agent's configuration and a port's rules are many times as long. */
const agentFields = ['id', 'host', 'binary', 'heartbeat_timestamp', 'alive'];
const portFields = [
  ...['id', 'device_id', 'device_owner', 'binding:host_id', 'binding:vif_type'],
  ...['status', 'admin_state_up'],
];
const networkFields = ['id', 'name', 'project_id', 'router:external', 'shared'];
const policyFields = ['id', 'object_id', 'target_tenant'];
const addressFields = ['id', 'device_id', 'device_owner', 'network_id', 'fixed_ips'];
const floatingFields = ['id', 'port_id', 'floating_ip_address', 'floating_network_id'];
const fields = (names: readonly string[]): [string, string][] => names.map((name) => ['fields', name]);

/** A list that another deletion cuts short each time is given up. */
const mostTries = 4;

type NetworkPart = 'listAgents' | 'listPorts' | 'bindPort' | 'listNetworks' | 'listInstanceAddresses';

export class Network implements Pick<Cloud, NetworkPart> {
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
    const paged = { idOf: portId, pageSize: this.#pageSize, strict: true };
    const list = { call, query, key: 'ports', item: portItem, ...paged };
    const ports = await readList(this.#session, list, signal);
    return ports.filter(isOfInstance).map(({ owner: _, ...port }) => port);
  }

  async listNetworks(signal: AbortSignal): Promise<NetworkRecord[]> {
    const [networks, openToAll, { projectId: own }] = await Promise.all([
      this.#list({ path: '/networks', key: 'networks', item: networkItem, fields: networkFields }, signal),
      this.#openToAll(signal),
      this.#session.grant(signal),
    ]);
    return networks.map(({ id, name, projectId, isOpen }) => {
      const isOpenedByAdmin = isOpen && (openToAll === null || openToAll.has(id));
      return { id, name, isPublic: isOpenedByAdmin || (own !== null && projectId === own) };
    });
  }

  async listInstanceAddresses(signal: AbortSignal): Promise<InstanceAddress[]> {
    const [all, floating] = await Promise.all([
      this.#list({ path: '/ports', key: 'ports', item: addressedPortItem, fields: addressFields }, signal),
      this.#listFloating(signal),
    ]);
    const ports = all.filter(isOfInstance);
    const instanceOf = new Map(ports.map((port) => [port.id, port.instanceId]));
    const fixed = ports.flatMap(({ instanceId, networkId, addresses }) =>
      addresses.map((address): InstanceAddress => ({ instanceId, networkId, address, type: 'fixed' })),
    );
    const bound = floating.flatMap(({ portId, networkId, address }): InstanceAddress[] => {
      const instanceId = portId === null ? undefined : instanceOf.get(portId);
      return instanceId === undefined ? [] : [{ instanceId, networkId, address, type: 'floating' }];
    });
    return [...fixed, ...bound];
  }

  /** Ids of the networks that are opened to all projects; null where Neutron opens them in no other way. */
  async #openToAll(signal: AbortSignal): Promise<ReadonlySet<string> | null> {
    const list = { path: '/rbac-policies', key: 'rbac_policies', item: policyItem, fields: policyFields };
    const filter = [
      ['object_type', 'network'],
      ['target_tenant', '*'],
    ] as const;
    const policies = await this.#ifThere(
      'rbac-policies',
      () => this.#list({ ...list, filter }, signal),
      signal,
    );
    if (policies === null) return null;
    return new Set(policies.filter(({ target }) => target === '*').map(({ objectId }) => objectId));
  }

  /**
   * A page after a floating IP that was deleted meanwhile is empty, as if the list had ended there (ports say 404
   * instead). So the last one of several pages must still exist, or the list is read again.
   */
  async #listFloating(signal: AbortSignal) {
    const list = { path: '/floatingips', key: 'floatingips', item: floatingItem, fields: floatingFields };
    for (let tries = 0; tries < mostTries; tries++) {
      const found = (await this.#ifThere('router', () => this.#list(list, signal), signal)) ?? [];
      const last = found.at(-1);
      if (last === undefined || found.length < this.#pageSize) return found;
      const filter = [['id', last.id]] as const;
      if ((await this.#list({ ...list, filter }, signal)).length > 0) return found;
    }
    throw new CloudError('not-done', 'Neutron /floatingips: the list never holds still', null);
  }

  /** A list of an extension; null where Neutron lacks it: its 404 alone might be a proxy's. */
  async #ifThere<T>(alias: string, read: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      const isAbsent = error instanceof CloudError && error.status === 404;
      if (!isAbsent || (await this.#extensions(signal)).includes(alias)) throw error;
      return null;
    }
  }

  async #extensions(signal: AbortSignal): Promise<string[]> {
    const call = { service: 'network', path: '/extensions' } as const;
    const list = { call, key: 'extensions', item: extensionItem, pageSize: null };
    const extensions = await readList(this.#session, { ...list, idOf: ({ alias }) => alias }, signal);
    return extensions.map(({ alias }) => alias);
  }

  #list<T extends { readonly id: string }>(
    list: Pick<List<T>, 'key' | 'item'> & {
      readonly path: string;
      readonly fields: readonly string[];
      readonly filter?: readonly (readonly [string, string])[];
    },
    signal: AbortSignal,
  ): Promise<T[]> {
    const { path, key, item } = list;
    const call = { service: 'network', path } as const;
    const query = [...fields(list.fields), ...(list.filter ?? [])];
    return readList(
      this.#session,
      { call, query, key, item, idOf: ({ id }) => id, pageSize: this.#pageSize },
      signal,
    );
  }

  async bindPort(portId: string, host: string, signal: AbortSignal): Promise<void> {
    const path = `/ports/${inPath(portId)}`;
    const body = { port: { 'binding:host_id': host } };
    await this.#session.call({ service: 'network', method: 'PUT', path, body }, signal);
  }
}

/** "compute:nova": the zone's name follows. Routers and DHCP have ports on hypervisors, too. */
const isOfInstance = ({ owner }: { readonly owner: string }): boolean => owner.startsWith('compute:');
const agentId = (agent: { id: string }): string => agent.id;
const portId = (port: { id: string }): string => port.id;
