// The state of the pretend cloud: hosts, instances, records, and which services run. It knows time (through `after`)
// but no HTTP and no sockets. The rules that change it stand in the files around it, one per subject.

import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Aggregate, Host, Instance, Migration, Network, Project } from './model.ts';
import type { Settings } from './options.ts';
import { PlacementBook } from './placement-book.ts';
import { ApiRefusal } from './refusal.ts';

/** What can be stopped: the four APIs, and what works behind them. */
export type ServiceName = 'keystone' | 'nova' | 'neutron' | 'placement' | 'conductor' | 'rabbitmq';

/** Emits 'presence' whenever an address may have begun or ceased to answer. */
export class World extends EventEmitter {
  readonly settings: Settings;
  readonly hosts = new Map<string, Host>();
  readonly instances = new Map<string, Instance>();
  readonly migrations: Migration[] = [];
  readonly aggregates: Aggregate[];
  readonly projects: readonly Project[];
  readonly networks: readonly Network[];
  readonly placement = new PlacementBook();
  readonly stopped = new Set<ServiceName>();
  readonly startedAtMs: number;
  /** Numbers instances and their addresses; a deleted one's is not used again. */
  bootedSoFar = 0;
  /** Messages on their way to the conductor or to RabbitMQ while either is away. */
  readonly undelivered: (() => void)[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(settings: Settings) {
    super();
    this.settings = settings;
    this.startedAtMs = this.now();
    this.projects = settings.projects.map((name) => ({ id: newId().replaceAll('-', ''), name }));
    this.networks = [
      { id: newId(), name: settings.externalNetwork, external: true },
      ...settings.privateNetworks.map((name) => ({ id: newId(), name, external: false })),
    ];
    this.aggregates = Object.entries(settings.aggregates).map(([name, hosts], index) => ({
      id: index + 1,
      uuid: newId(),
      name,
      hosts: [...hosts],
    }));
    for (let number = 1; number <= settings.computes; number += 1) this.#addHost(number);
  }

  /** The cloud's clock. */
  now(): number {
    return Date.now() + this.settings.clockOffsetMs;
  }

  /** Runs something later, unless the world ends before. */
  after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Ends all that is under way. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** A host by its service host; throws for an unknown one (a mistake of the test). */
  host(host: string): Host {
    const found = this.hosts.get(host);
    if (found === undefined) throw new Error(`no such host: ${host}`);
    return found;
  }

  /** An instance by id or name; throws for an unknown one (a mistake of the test). */
  instance(idOrName: string): Instance {
    const byId = this.instances.get(idOrName);
    if (byId !== undefined) return byId;
    for (const instance of this.instances.values()) if (instance.name === idOrName) return instance;
    throw new Error(`no such instance: ${idOrName}`);
  }

  /** An instance as an API request names it; Nova's own 404 for an unknown one. */
  requestedInstance(id: string): Instance {
    const found = this.instances.get(id);
    if (found === undefined) throw new ApiRefusal(404, `Instance ${id} could not be found.`);
    return found;
  }

  /** Instances Nova has on a host. */
  instancesOn(host: string): Instance[] {
    return [...this.instances.values()].filter((instance) => instance.host === host);
  }

  /** Tells whoever keeps the addresses that something about them may have changed. */
  presenceChanged(): void {
    this.emit('presence');
  }

  #addHost(number: number): void {
    const { settings } = this;
    const host = `hv${String(number).padStart(2, '0')}`;
    const record: Host = {
      host,
      name: settings.domain === null ? host : `${host}.${settings.domain}`,
      address: `127.${settings.block}.1.${number}`,
      id: newId(),
      number,
      serviceId: newId(),
      agentId: newId(),
      zone: 'nova',
      vcpus: settings.vcpus,
      memoryMb: settings.memoryMb,
      createdAtMs: this.now(),
      powered: true,
      frozen: false,
      computeRuns: true,
      agentRuns: true,
      addressUp: true,
      guestsUp: true,
      mailbox: [],
      disabled: false,
      disabledReason: null,
      forcedDown: false,
      disabledTrait: false,
      reportedAtMs: this.now(),
      heartbeatAtMs: this.now(),
      agentWasAlive: true,
      tracked: { vms: 0, vcpus: 0, memoryMb: 0 },
    };
    this.hosts.set(host, record);
    this.placement.addProvider(record.id, record.name);
  }
}

/** A fresh UUID. */
export function newId(): string {
  return randomUUID();
}
