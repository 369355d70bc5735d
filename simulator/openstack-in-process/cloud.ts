// The world behind ns4's port `Cloud`, without HTTP: what a client of the APIs would show of it and do to it. How a
// request gets there, and what becomes of it on its way, is the link's affair.
import {
  type AgentRecord,
  type Aggregate,
  type Cloud,
  CloudError,
  type ComputeService,
  type ComputeServiceChange,
  type HypervisorRecord,
  type InstanceAddress,
  type MigrationRecord,
  type NetworkRecord,
  type PortBinding,
} from '../../src/ns4/cloud/cloud.ts';
import type { Server } from '../../src/shared/documents/inventory.ts';
import { listAgents } from '../world/agents.ts';
import { bindPort, requestedPort } from '../world/binding.ts';
import { isCellDown, isHidden, needCell } from '../world/cells.ts';
import { changeService, requestedService } from '../world/compute-service.ts';
import { evacuate } from '../world/evacuation.ts';
import { reboot } from '../world/instance-power.ts';
import type { Host, Instance, Migration } from '../world/model.ts';
import { ApiRefusal } from '../world/refusal.ts';
import type { ServiceName, World } from '../world/world.ts';
import { moveAllocation } from './allocations.ts';
import type { ChangeName, IsAnswered, Link } from './link.ts';
import {
  addressesOf,
  agentOf,
  bindingOf,
  hypervisorOf,
  migrationOf,
  serverOf,
  serviceOf,
} from './records.ts';

/** Nova takes no longer disabled_reason. */
const maxReason = 255;

export class InProcessCloud implements Cloud {
  readonly #world: World;
  readonly #link: Link;

  constructor(world: World, link: Link) {
    this.#world = world;
    this.#link = link;
  }

  clockSkewMs(): number {
    return this.#link.skewMs;
  }

  leftOut(): [] {
    return [];
  }

  async listHypervisors(signal: AbortSignal): Promise<HypervisorRecord[]> {
    const { downCells } = this.#world;
    return this.#link.read(this.#isThere(['nova']) && downCells.size === 0, signal, () =>
      this.#hosts().map((host) => hypervisorOf(this.#world, host)),
    );
  }

  /** Nothing that is simulated asks for it. */
  async readUptime(): Promise<string | null> {
    return null;
  }

  async listComputeServices(
    signal: AbortSignal,
    host?: string,
    onDown?: (host: string) => void,
  ): Promise<ComputeService[]> {
    return this.#read(['nova'], signal, () =>
      this.#hosts(host).flatMap((h) => {
        if (!isCellDown(this.#world, h)) return [serviceOf(this.#world, h)];
        onDown?.(h.name);
        return [];
      }),
    );
  }

  async listAgents(signal: AbortSignal, host?: string): Promise<AgentRecord[]> {
    return this.#read(['neutron'], signal, () =>
      listAgents(this.#world)
        .filter((row) => host === undefined || row.host === host)
        .map(agentOf),
    );
  }

  async listAggregates(signal: AbortSignal): Promise<Aggregate[]> {
    const { aggregates } = this.#world;
    return this.#read(['nova'], signal, () =>
      aggregates.map(({ name, hosts }) => ({ name, hosts: [...hosts] })),
    );
  }

  async listProjects(signal: AbortSignal): Promise<{ id: string; name: string }[]> {
    return this.#read([], signal, () => [...this.#world.projects]);
  }

  /** Nova asks Neutron for the security groups of every server it shows; the newest comes first. */
  async listServers(signal: AbortSignal, host?: string, onDown?: (id: string) => void): Promise<Server[]> {
    const { instances } = this.#world;
    return this.#read(['nova', 'neutron'], signal, () =>
      instances
        .filter((instance) => host === undefined || instance.host === host)
        .filter((instance) => {
          if (isHidden(this.#world, instance)) onDown?.(instance.id);
          return !isHidden(this.#world, instance);
        })
        .map((instance) => serverOf(this.#world, instance))
        .reverse(),
    );
  }

  /** Of one in a cell that does not answer Nova tells its id alone, which is no server. */
  async readServer(id: string, signal: AbortSignal): Promise<Server | null> {
    const instance = this.#world.find(id);
    const isShown = instance === undefined || !isHidden(this.#world, instance);
    return this.#link.read(this.#isThere(['nova', 'neutron']) && isShown, signal, () =>
      instance === undefined || instance.deleted ? null : serverOf(this.#world, instance),
    );
  }

  async listEvacuations(sourceHost: string, signal: AbortSignal): Promise<MigrationRecord[]> {
    return this.#migrations(({ type, source }) => type === 'evacuation' && source === sourceHost, signal);
  }

  async listMigrations(host: string, signal: AbortSignal): Promise<MigrationRecord[]> {
    return this.#migrations(({ source, target }) => source === host || target === host, signal);
  }

  async listMigrationsOf(instanceId: string, signal: AbortSignal): Promise<MigrationRecord[]> {
    return this.#migrations(({ instance }) => instance.id === instanceId, signal);
  }

  #migrations(isWanted: (m: Migration) => boolean, signal: AbortSignal): Promise<MigrationRecord[]> {
    const { migrations } = this.#world;
    const isShown = ({ instance }: Migration) => !isHidden(this.#world, instance);
    return this.#read(['nova'], signal, () =>
      migrations
        .filter((m) => isWanted(m) && isShown(m))
        .map(migrationOf)
        .reverse(),
    );
  }

  async listPorts(
    filter: { host: string } | { instanceId: string },
    signal: AbortSignal,
  ): Promise<PortBinding[]> {
    return this.#read(['neutron'], signal, () =>
      this.#world.instances
        .filter(({ id, port }) => ('host' in filter ? port.host === filter.host : id === filter.instanceId))
        .map(({ port }) => bindingOf(port)),
    );
  }

  async listNetworks(signal: AbortSignal): Promise<NetworkRecord[]> {
    return this.#read(['neutron'], signal, () =>
      this.#world.networks.map(({ id, name, external, shared }) => ({
        ...{ id, name },
        isPublic: external || shared,
      })),
    );
  }

  async listInstanceAddresses(signal: AbortSignal): Promise<InstanceAddress[]> {
    const { instances } = this.#world;
    return this.#read(['neutron'], signal, () => instances.flatMap((i) => addressesOf(this.#world, i)));
  }

  async changeComputeService(
    id: string,
    change: ComputeServiceChange,
    signal: AbortSignal,
  ): Promise<ComputeService> {
    const { disabledReason: reason, ...rest } = change;
    if (reason !== undefined && change.status !== 'disabled')
      throw new CloudError('not-done', 'a reason goes with disabling a service only', null);
    const fitting = reason === undefined ? rest : { ...rest, disabledReason: shortened(reason) };
    const host = this.#hosts().find(({ compute }) => compute.id === id);
    const name = change.forcedDown === true ? 'force-down' : 'change';
    await this.#change('nova', { name, id: host?.name ?? id, target: '' }, signal, () => {
      const requested = requestedService(this.#world, id);
      needCell(this.#world, requested.name);
      const { blocksMs } = changeService(this.#world, requested, fitting);
      const untilMs = this.#world.nowMs + blocksMs;
      return () => this.#world.nowMs >= untilMs;
    });
    return serviceOf(this.#world, requestedService(this.#world, id));
  }

  async evacuate(instanceId: string, target: string, signal: AbortSignal): Promise<void> {
    await this.#change('nova', { name: 'evacuate', id: instanceId, target }, signal, () => {
      evacuate(this.#world, this.#requested(instanceId), target);
      return this.#whenMessaging;
    });
  }

  async hardReboot(instanceId: string, signal: AbortSignal): Promise<void> {
    const target = this.#world.find(instanceId)?.host ?? '';
    await this.#change('nova', { name: 'evacuate', id: instanceId, target }, signal, () => {
      reboot(this.#world, this.#requested(instanceId), 'HARD');
      return this.#whenMessaging;
    });
  }

  async bindPort(portId: string, host: string, signal: AbortSignal): Promise<void> {
    await this.#change('neutron', { name: 'change', id: portId, target: host }, signal, () => {
      bindPort(this.#world, requestedPort(this.#world, portId), host);
      return null;
    });
  }

  async moveAllocation(
    instanceId: string,
    fromName: string,
    toName: string,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#change('placement', { name: 'change', id: instanceId, target: toName }, signal, () => {
      moveAllocation(this.#world.placement, instanceId, fromName, toName);
      return null;
    });
  }

  /** Without RabbitMQ a request that must send a message gets no answer, though the state has changed. */
  readonly #whenMessaging: IsAnswered = () => !this.#world.stopped.has('rabbitmq');

  #requested(instanceId: string): Instance {
    const instance = this.#world.requestedInstance(instanceId);
    needCell(this.#world, instance.host);
    return instance;
  }

  #hosts(only?: string): Host[] {
    const { hosts } = this.#world;
    if (only === undefined) return [...hosts.values()];
    const host = hosts.get(only);
    return host === undefined ? [] : [host];
  }

  /** Keystone is asked by all of them. */
  #isThere(apis: readonly ServiceName[]): boolean {
    const { stopped } = this.#world;
    return !stopped.has('keystone') && apis.every((name) => !stopped.has(name));
  }

  #read<T>(apis: readonly ServiceName[], signal: AbortSignal, make: () => T): Promise<T> {
    return this.#link.read(this.#isThere(apis), signal, make);
  }

  #change(
    api: ServiceName,
    request: { name: ChangeName; id: string; target: string },
    signal: AbortSignal,
    apply: () => IsAnswered | null,
  ): Promise<void> {
    return this.#link.change(this.#isThere([api]), request, signal, () => {
      try {
        return apply();
      } catch (error) {
        if (!(error instanceof ApiRefusal)) throw error;
        throw new CloudError(error.status < 500 ? 'refused' : 'unknown', error.message, error.status);
      }
    });
  }
}

/** Cut by characters, as the client does it. */
function shortened(reason: string): string {
  const characters = [...reason];
  return characters.length <= maxReason ? reason : `${characters.slice(0, maxReason - 1).join('')}…`;
}
