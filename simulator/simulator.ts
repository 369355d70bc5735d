// A pretend OpenStack that speaks the real protocols on loopback, with hypervisors and guests that really answer, and
// really fall silent: for tests and the demo. This file wires world, APIs and addresses together and is their face.

import { cloudsYaml, type LoginKind } from './clouds-yaml.ts';
import { begin, type Fault as WorldFault } from './faults/script.ts';
import { worldFaults, worldScript } from './faults/world-faults.ts';
import { type AddressBlock, takeAddressBlock } from './network/address-block.ts';
import type { Presence } from './network/loopback-address.ts';
import { Apis, type Bend } from './openstack-http/apis.ts';
import type { ApiName } from './openstack-http/call.ts';
import type { Fault, FaultOrder } from './openstack-http/faults.ts';
import type { RecordedRequest } from './openstack-http/http-service.ts';
import {
  addHosts,
  type HttpWorld,
  type Settings,
  type SimulatorOptions,
  settingsOf,
} from './openstack-http/options.ts';
import { PresenceKeeper } from './presence-keeper.ts';
import { changeService, giveBack, setAside } from './world/compute-service.ts';
import { freeze, revive } from './world/host-power.ts';
import { type BootOptions, boot, reachableAddress, remove } from './world/instances.ts';
import { startService, stopService } from './world/messaging.ts';
import type { EvacuationTrouble } from './world/model.ts';
import { rewriteHost } from './world/nova-database.ts';
import { RealTime, realChance } from './world/real-time.ts';
import { type Snapshot, takeSnapshot } from './world/snapshot.ts';
import { type ServiceName, World } from './world/world.ts';

export type { FaultOrder } from './openstack-http/faults.ts';
export type { RecordedRequest } from './openstack-http/http-service.ts';
export type { SimulatorOptions } from './openstack-http/options.ts';
export type { BootOptions } from './world/instances.ts';
export type { ServerSnapshot, Snapshot } from './world/snapshot.ts';

/**
 * What of a host is taken away. power: all of it, guests die. compute, agent: the processes nova-compute and network
 * agent. address: the network of the host itself. guests: the network of its guests, which run on unseen.
 */
type HostPart = 'power' | 'compute' | 'agent' | 'address' | 'guests';

const faultOfPart: Readonly<Record<HostPart, readonly [WorldFault<World>, ...string[]]>> = {
  power: [worldFaults.hostDies],
  compute: [worldFaults.computeEnds],
  agent: [worldFaults.agentsEnd],
  address: [worldFaults.hostCutOff, 'management'],
  guests: [worldFaults.hostCutOff, 'guests'],
};

/** Starts a simulator; everything in it listens on 127.* only. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const block = await takeAddressBlock(options.block);
  const simulator = new Simulator(settingsOf(options, block.number), block);
  try {
    await simulator.open();
  } catch (error) {
    await simulator.close();
    throw error;
  }
  return simulator;
}

/** A running simulator. Methods that change who answers resolve when the change is real. */
export class Simulator {
  readonly settings: Settings;
  readonly #time = new RealTime();
  readonly #world: HttpWorld;
  readonly #block: AddressBlock;
  readonly #apis: Apis;
  readonly #presence: PresenceKeeper;

  constructor(settings: Settings, block: AddressBlock) {
    this.settings = settings;
    this.#block = block;
    this.#world = new World(this.#time, realChance, settings);
    this.#world.cloudOffsetMs = settings.clockOffsetMs;
    addHosts(this.#world);
    this.#apis = new Apis(this.#world);
    this.#presence = new PresenceKeeper(this.#world);
  }

  /** Used by startSimulator. */
  async open(): Promise<void> {
    await this.#apis.follow();
    await this.#presence.settled();
  }

  /** Ends everything and frees the addresses. */
  async close(): Promise<void> {
    this.#time.end();
    await this.#apis.stop();
    await this.#presence.close();
    await this.#block.release();
  }

  /** Service hosts of all hypervisors. */
  get hosts(): string[] {
    return [...this.#world.hosts.keys()];
  }

  /** Every request received so far, oldest first. */
  get requests(): readonly RecordedRequest[] {
    return this.#apis.requests;
  }

  /** Base address of an API, e.g. for raw requests. */
  url(api: ApiName): string {
    return this.#apis.url(api);
  }

  /** A clouds.yaml for this cloud. */
  cloudsYaml(login: LoginKind = 'password'): string {
    return cloudsYaml(this.settings, `${this.url('keystone')}/v3`, login);
  }

  /** Creates an instance on a host; its id. */
  async boot(name: string, host: string, options: BootOptions = {}): Promise<string> {
    const instance = boot(this.#world, name, this.#world.host(host), options);
    await this.#presence.settled();
    return instance.id;
  }

  /** Deletes an instance. */
  async delete(idOrName: string): Promise<void> {
    remove(this.#world, this.#world.instance(idOrName));
    await this.#presence.settled();
  }

  /** The address of a host, or of an instance (null: none that can be reached from here). */
  addressOf(hostOrInstance: string): string | null {
    const host = this.#world.hosts.get(hostOrInstance);
    return host === undefined ? reachableAddress(this.#world.instance(hostOrInstance)) : host.address;
  }

  /** Takes parts of a host away: by default its power, and so everything. */
  async kill(host: string, parts: readonly HostPart[] = ['power']): Promise<void> {
    for (const part of parts) {
      const [fault, ...more] = faultOfPart[part];
      begin<World>(this.#world, fault, host, ...more);
    }
    await this.#presence.settled();
  }

  /** The whole machine stands still: as silent as a dead one, but its guests go on when it is revived. */
  async hang(host: string): Promise<void> {
    freeze(this.#world, this.#world.host(host));
    await this.#presence.settled();
  }

  /** Brings all of a host back; its nova-compute and agent report at once. */
  async revive(host: string): Promise<void> {
    revive(this.#world, this.#world.host(host));
    await this.#presence.settled();
  }

  /** Makes happen what a sentence of the catalogue says (faults/world-faults.ts), e.g. "hv01 loses its power". */
  async happen(sentence: string): Promise<void> {
    if (!worldScript(this.#world, sentence)) throw new Error(`nothing that may happen: "${sentence}"`);
    await this.#apis.follow();
    await this.#presence.settled();
  }

  /** Sets a host aside: disabled with a reason that names a spare. */
  spare(host: string, reason = 'spare'): void {
    setAside(this.#world, this.#world.host(host), reason);
  }

  /** Forced down by somebody, and nothing else. */
  forceDown(host: string): void {
    changeService(this.#world, this.#world.host(host), { forcedDown: true });
  }

  /** Enabled again, and not forced down. */
  unspare(host: string): void {
    giveBack(this.#world, this.#world.host(host));
  }

  /** Makes one address (of a host or an instance) silent whatever else is; `refuse` makes its ports refuse. */
  async silence(hostOrInstance: string): Promise<void> {
    await this.#override(hostOrInstance, 'silent');
  }
  async refuse(hostOrInstance: string): Promise<void> {
    await this.#override(hostOrInstance, 'refuses');
  }
  /** Ends silence or refusal of one address. */
  async restore(hostOrInstance: string): Promise<void> {
    await this.#override(hostOrInstance, null);
  }

  /** Takes a service away: an API refuses connections; conductor and rabbitmq have the effects Nova shows. */
  async stop(service: ServiceName): Promise<void> {
    stopService(this.#world, service);
    await this.#apis.follow();
  }

  /** Brings a service back, an API on its old port. */
  async start(service: ServiceName): Promise<void> {
    startService(this.#world, service);
    await this.#apis.follow();
  }

  /** Orders a fault for the next requests that match. */
  fault(order: FaultOrder): Fault {
    return this.#apis.faults.order(order);
  }

  /** Every answer of the APIs passes through this from now on, whatever becomes of it; null ends it. */
  bend(how: Bend | null): void {
    this.#apis.bend = how;
  }

  /** Takes all orders of faults back. */
  clearFaults(): void {
    this.#apis.faults.clear();
  }

  /** What the next evacuations of an instance shall suffer, in order. */
  trouble(idOrName: string, ...troubles: EvacuationTrouble[]): void {
    this.#world.instance(idOrName).trouble.push(...troubles);
  }

  /** Makes every token issued so far invalid. */
  revokeTokens(): void {
    this.#apis.tokens.revokeAll();
  }

  /**
   * UPDATE nova.instances SET host, node: the database method's change, made from outside behind Nova's back. `node`
   * defaults to the host's hypervisor name. Returns how many rows changed: 0 when it is not on `from` (if given).
   */
  rewriteHost(idOrName: string, host: string, options: { node?: string; from?: string } = {}): number {
    const instance = this.#world.instance(idOrName);
    if (options.from !== undefined && instance.host !== options.from) return 0;
    rewriteHost(this.#world, instance, { host, node: options.node ?? this.#world.host(host).hypervisorName });
    return 1;
  }

  /** Everything, for assertions. */
  snapshot(): Snapshot {
    return takeSnapshot(this.#world);
  }

  /** Resolves when every address behaves as the world has it (changes made through the APIs, too). */
  settled(): Promise<void> {
    return this.#presence.settled();
  }

  async #override(hostOrInstance: string, presence: Presence | null): Promise<void> {
    const address = this.addressOf(hostOrInstance);
    if (address === null) throw new Error(`${hostOrInstance} has no address that can be reached from here`);
    this.#presence.override(address, presence);
    await this.#presence.settled();
  }
}
