// A pretend OpenStack that speaks the real protocols on loopback, with hypervisors and guests that really answer, and
// really fall silent: for tests and the demo. This file wires world, APIs and addresses together and is their face.

import { cloudsYaml, type LoginKind } from './clouds-yaml.ts';
import { type AddressBlock, takeAddressBlock } from './network/address-block.ts';
import type { Presence } from './network/loopback-address.ts';
import { PresenceKeeper } from './network/presence-keeper.ts';
import { Apis, isApiName } from './openstack-http/apis.ts';
import type { ApiName } from './openstack-http/call.ts';
import type { Fault, FaultOrder } from './openstack-http/faults.ts';
import type { RecordedRequest } from './openstack-http/http-service.ts';
import { type BootOptions, boot, reachableAddress, rewriteHost } from './world/boot.ts';
import * as failures from './world/failures.ts';
import { beat, startBeating } from './world/heartbeats.ts';
import { startService, stopService } from './world/messaging.ts';
import type { EvacuationTrouble } from './world/model.ts';
import { type Settings, type SimulatorOptions, settle } from './world/options.ts';
import { remove } from './world/power.ts';
import { type Snapshot, takeSnapshot } from './world/snapshot.ts';
import { type ServiceName, World } from './world/world.ts';

export type { Presence } from './network/loopback-address.ts';
export type { Fault, FaultOrder } from './openstack-http/faults.ts';
export type { RecordedRequest } from './openstack-http/http-service.ts';
export type { BootOptions } from './world/boot.ts';
export type { HostPart } from './world/failures.ts';
export type { SimulatorOptions } from './world/options.ts';
export type { HostSnapshot, ServerSnapshot, Snapshot } from './world/snapshot.ts';
export type { ServiceName } from './world/world.ts';

/** Starts a simulator; everything in it listens on 127.* only. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const block = await takeAddressBlock(options.block);
  const simulator = new Simulator(settle(options, block.number), block);
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
  readonly #world: World;
  readonly #block: AddressBlock;
  readonly #apis: Apis;
  readonly #presence: PresenceKeeper;

  constructor(settings: Settings, block: AddressBlock) {
    this.settings = settings;
    this.#block = block;
    this.#world = new World(settings);
    this.#apis = new Apis(this.#world);
    this.#presence = new PresenceKeeper(this.#world);
  }

  /** Used by startSimulator. */
  async open(): Promise<void> {
    startBeating(this.#world);
    await this.#apis.start();
    await this.#presence.settled();
  }

  /** Ends everything and frees the addresses. */
  async close(): Promise<void> {
    this.#world.end();
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
    this.#world.presenceChanged();
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
  async kill(host: string, parts: readonly failures.HostPart[] = ['power']): Promise<void> {
    failures.kill(this.#world, this.#world.host(host), parts);
    await this.#presence.settled();
  }

  /** The whole machine stands still: as silent as a dead one, but its guests go on when it is revived. */
  async hang(host: string): Promise<void> {
    failures.hang(this.#world, this.#world.host(host));
    await this.#presence.settled();
  }

  /** Brings all of a host back; its nova-compute and agent report at once. */
  async revive(host: string): Promise<void> {
    failures.revive(this.#world, this.#world.host(host));
    await this.#presence.settled();
  }

  /** Sets a host aside: disabled with a reason that names a spare. */
  spare(host: string, reason = 'spare'): void {
    const record = this.#world.host(host);
    Object.assign(record, { disabled: true, disabledTrait: true, disabledReason: reason });
  }

  /** Forced down by somebody, and nothing else. */
  forceDown(host: string): void {
    this.#world.host(host).forcedDown = true;
  }

  /** Enabled again, and not forced down. */
  unspare(host: string): void {
    const record = this.#world.host(host);
    Object.assign(record, { disabled: false, disabledTrait: false, disabledReason: null, forcedDown: false });
    beat(this.#world);
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
    if (isApiName(service)) await this.#apis.stop(service);
  }

  /** Brings a service back, an API on its old port. */
  async start(service: ServiceName): Promise<void> {
    startService(this.#world, service);
    if (isApiName(service)) await this.#apis.start(service);
  }

  /** Orders a fault for the next requests that match. */
  fault(order: FaultOrder): Fault {
    return this.#apis.faults.order(order);
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
    rewriteHost(this.#world, instance, host, options.node ?? this.#world.host(host).name);
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
