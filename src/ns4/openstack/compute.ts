// Nova: the lists the inventory is made of, and the changes an evacuation consists of.
import { z } from 'zod';
import type { Server } from '../../shared/documents/inventory.ts';
import {
  type Cloud,
  CloudError,
  type ComputeService,
  type ComputeServiceChange,
  type MigrationRecord,
} from '../cloud/cloud.ts';
import { inPath, words } from '../cloud/outside.ts';
import { type List, readList } from './listing.ts';
import { computeRange, negotiate, offeredRange } from './microversion.ts';
import {
  aggregateItem,
  computeServiceItem,
  computeServiceOrDown,
  hypervisorItem,
  migrationItem,
  serverItem,
  serverOrDown,
} from './records.ts';
import { isItemNotFound } from './service-words.ts';
import type { Call, Session } from './session.ts';
import { SharedValue } from './shared-value.ts';
import { validated } from './validation.ts';

interface ComputeOptions {
  readonly pageSize: number;
  /** For the POST of an evacuation, which Nova answers only after talking to other services. */
  readonly evacuateTimeoutMs: number;
}

type ComputePart =
  | 'listHypervisors'
  | 'readUptime'
  | 'listComputeServices'
  | 'listAggregates'
  | 'listServers'
  | 'readServer'
  | 'listEvacuations'
  | 'listMigrations'
  | 'listMigrationsOf'
  | 'changeComputeService'
  | 'evacuate'
  | 'hardReboot';

/** Nova takes no longer disabled_reason. */
const MAX_REASON = 255;

export class Compute implements Pick<Cloud, ComputePart> {
  readonly #session: Session;
  readonly #options: ComputeOptions;
  readonly #version: SharedValue<string>;

  constructor(session: Session, options: ComputeOptions) {
    this.#session = session;
    this.#options = options;
    this.#version = new SharedValue(async () =>
      negotiate(await offeredRange(session, 'compute', session.closing), computeRange, 'Nova'),
    );
  }

  /** The microversion spoken, negotiated once. @throws CloudError (not-done) that tells what was found and expected */
  microversion(signal: AbortSignal): Promise<string> {
    return this.#version.get(signal);
  }

  async listHypervisors(signal: AbortSignal) {
    return (await this.#hypervisors(signal)).map(({ id: _, ...record }) => record);
  }

  #hypervisors(signal: AbortSignal) {
    return this.#list(
      { path: '/os-hypervisors/detail', key: 'hypervisors', item: hypervisorItem, idOf: (h) => h.id },
      signal,
    );
  }

  async readUptime(host: string, signal: AbortSignal): Promise<string | null> {
    const all = await this.#hypervisors(signal);
    const [hypervisor, ...more] = all.filter((one) => one.host === host);
    // A service with several (bare metal) has no uptime of its own.
    if (hypervisor === undefined || more.length > 0) return null;
    const reply = await this.#call(
      {
        method: 'GET',
        path: `/os-hypervisors/${inPath(hypervisor.id)}/uptime`,
        // No service there (400), no hypervisor (404), or a driver that cannot tell (501).
        accept: ({ status }) => [400, 404, 501].includes(status),
      },
      signal,
    );
    if (reply.status !== 200) return null;
    return validated(uptimeReply, reply.body, reply.what).hypervisor.uptime;
  }

  async listComputeServices(
    signal: AbortSignal,
    host?: string,
    onDown?: (host: string) => void,
  ): Promise<ComputeService[]> {
    const query: [string, string][] = [['binary', 'nova-compute']];
    if (host !== undefined) query.push(['host', host]);
    const services = await this.#list(
      {
        path: '/os-services',
        key: 'services',
        item: computeServiceOrDown,
        idOf: (s) => s.id,
        query,
        whole: true,
      },
      signal,
    );
    const known: ComputeService[] = [];
    for (const service of services)
      if ('downHost' in service) onDown?.(service.downHost);
      else if (host === undefined || service.host === host) known.push(service);
    return known;
  }

  async listAggregates(signal: AbortSignal) {
    const records = await this.#list(
      { path: '/os-aggregates', key: 'aggregates', item: aggregateItem, idOf: (a) => a.id, whole: true },
      signal,
    );
    return records.map(({ name, hosts }) => ({ name, hosts }));
  }

  async listServers(signal: AbortSignal, host?: string, onDown?: (id: string) => void): Promise<Server[]> {
    const query: [string, string][] = [['all_tenants', '1']];
    if (host !== undefined) query.push(['host', host]);
    const servers = await this.#list(
      { path: '/servers/detail', key: 'servers', item: serverOrDown, idOf: (s) => s.id, query },
      signal,
    );
    const known: Server[] = [];
    for (const server of servers)
      if ('isDown' in server) onDown?.(server.id);
      else if (host === undefined || server.host === host) known.push(server);
    return known;
  }

  async readServer(id: string, signal: AbortSignal): Promise<Server | null> {
    const reply = await this.#call(
      {
        method: 'GET',
        path: `/servers/${inPath(id)}`,
        accept: (answer) => answer.status === 404 && isItemNotFound(answer.text),
      },
      signal,
    );
    if (reply.status === 404) return null;
    return validated(z.object({ server: serverItem }), reply.body, reply.what).server;
  }

  async listEvacuations(sourceHost: string, signal: AbortSignal) {
    const query = { migration_type: 'evacuation', source_compute: sourceHost };
    return (await this.#migrations(query, signal)).filter(
      ({ type, source }) => type === 'evacuation' && source === sourceHost,
    );
  }

  async listMigrations(host: string, signal: AbortSignal) {
    return (await this.#migrations({ host }, signal)).filter(
      ({ source, target }) => source === host || target === host,
    );
  }

  async listMigrationsOf(instanceId: string, signal: AbortSignal) {
    return (await this.#migrations({ instance_uuid: instanceId }, signal)).filter(
      (migration) => migration.instanceId === instanceId,
    );
  }

  /** Newest first. */
  async #migrations(
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<MigrationRecord[]> {
    const list = { path: '/os-migrations', key: 'migrations', item: migrationItem, strict: true } as const;
    const migrations = await this.#list(
      { ...list, idOf: (m) => m.uuid, query: Object.entries(query) },
      signal,
    );
    return migrations.sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  /**
   * One PUT for all fields: disabled alone, Nova asks the dead host first and waits a minute
   * (docs/facts.md#compute-services). A reason longer than Nova takes is cut.
   * @throws CloudError; not-done for a reason without status disabled, which Nova would refuse
   */
  async changeComputeService(
    id: string,
    change: ComputeServiceChange,
    signal: AbortSignal,
  ): Promise<ComputeService> {
    if (change.disabledReason !== undefined && change.status !== 'disabled') {
      throw new CloudError('not-done', 'a reason goes with disabling a service only', null);
    }
    const body = {
      status: change.status,
      disabled_reason: change.disabledReason && shortened(change.disabledReason),
      forced_down: change.forcedDown,
    };
    const reply = await this.#call({ method: 'PUT', path: `/os-services/${inPath(id)}`, body }, signal);
    return validated(z.object({ service: computeServiceItem }), reply.body, reply.what, true).service;
  }

  /**
   * The body of 2.53 to 2.87: `force` would pass over the scheduler's checks, onSharedStorage is Nova's to find out.
   */
  async evacuate(instanceId: string, target: string | null, signal: AbortSignal): Promise<void> {
    const timeoutMs = this.#options.evacuateTimeoutMs;
    await this.#action(instanceId, { evacuate: target === null ? {} : { host: target } }, signal, {
      timeoutMs,
    });
  }

  async hardReboot(instanceId: string, signal: AbortSignal): Promise<void> {
    await this.#action(instanceId, { reboot: { type: 'HARD' } }, signal);
  }

  async #action(id: string, body: unknown, signal: AbortSignal, extra: Pick<Call, 'timeoutMs'> = {}) {
    const path = `/servers/${inPath(id)}/action`;
    await this.#call({ method: 'POST', path, body, ...extra }, signal);
  }

  #call(call: Omit<Call, 'service' | 'microversion'>, signal: AbortSignal) {
    return this.#spoken(signal, (microversion) =>
      this.#session.call({ ...call, service: 'compute', microversion }, signal),
    );
  }

  /** `whole`: a list that Nova does not page. */
  #list<T>(
    list: Omit<List<T>, 'call' | 'pageSize'> & { path: string; whole?: boolean },
    signal: AbortSignal,
  ): Promise<T[]> {
    const pageSize = list.whole ? null : this.#options.pageSize;
    return this.#spoken(signal, (microversion) => {
      const call = { service: 'compute', path: list.path, microversion } as const;
      return readList(this.#session, { ...list, call, pageSize }, signal);
    });
  }

  /**
   * Speaks in the negotiated microversion. Should Nova not know it any more (another release), the next one asks anew.
   */
  async #spoken<T>(signal: AbortSignal, speak: (microversion: string) => Promise<T>): Promise<T> {
    const version = await this.microversion(signal);
    try {
      return await speak(`compute ${version}`);
    } catch (error) {
      if (error instanceof CloudError && error.status === 406) this.#version.forget(version);
      throw error;
    }
  }
}

const uptimeReply = z.object({ hypervisor: z.object({ uptime: words.nullable() }) });

/** Cut by characters, as Nova counts them, and not within one. */
function shortened(reason: string): string {
  const characters = [...reason];
  return characters.length <= MAX_REASON ? reason : `${characters.slice(0, MAX_REASON - 1).join('')}…`;
}
