// Keeps the loopback addresses as the world has them: living hosts and guests answer, dead ones are silent. A test
// may override single addresses.

import { LoopbackAddress, type PortSet, type Presence } from './network/loopback-address.ts';
import type { HttpWorld } from './openstack-http/options.ts';
import { reachableAddress } from './world/instances.ts';
import { guestAnswers, hostAnswers } from './world/physics.ts';

/** All addresses of one world. */
export class PresenceKeeper {
  readonly #world: HttpWorld;
  readonly #addresses = new Map<string, LoopbackAddress>();
  readonly #overrides = new Map<string, Presence>();
  #pending: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;

  constructor(world: HttpWorld) {
    this.#world = world;
    world.onPresence = () => this.#follow();
    this.#follow();
  }

  /** Resolves when every address behaves as it should; throws when one could not be made to. */
  async settled(): Promise<void> {
    await this.#pending;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Makes one address behave as told whatever the world says; null gives it back to the world. */
  override(address: string, presence: Presence | null): void {
    if (!this.#wanted().has(address)) throw new Error(`no such address: ${address}`);
    if (presence === null) this.#overrides.delete(address);
    else this.#overrides.set(address, presence);
    this.#follow();
  }

  async close(): Promise<void> {
    await this.#pending;
    await Promise.all([...this.#addresses.values()].map((address) => address.close()));
  }

  #follow(): void {
    if (!this.#world.settings.listen) return;
    const wanted = this.#wanted();
    // A deleted guest leaves silence behind.
    for (const [address, listener] of this.#addresses) {
      if (!wanted.has(address)) listener.become('silent').catch(() => undefined);
    }
    const changes = [...wanted].map(([address, { ports, presence }]) => {
      let listener = this.#addresses.get(address);
      if (listener === undefined) {
        listener = new LoopbackAddress(address, ports);
        this.#addresses.set(address, listener);
      }
      return listener.become(this.#overrides.get(address) ?? presence);
    });
    // Kept rather than thrown: nobody may be waiting just now, and settled() is asked before anything relies on it.
    this.#pending = Promise.all([this.#pending, ...changes]).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  #wanted(): Map<string, { ports: PortSet; presence: Presence }> {
    const { hypervisorPorts, instancePorts } = this.#world.settings;
    const wanted = new Map<string, { ports: PortSet; presence: Presence }>();
    for (const host of this.#world.hosts.values()) {
      if (host.address === null) continue;
      wanted.set(host.address, {
        ports: hypervisorPorts,
        presence: hostAnswers(host) ? 'answers' : 'silent',
      });
    }
    for (const instance of this.#world.instances) {
      const address = reachableAddress(instance);
      if (address === null) continue;
      const presence = guestAnswers(this.#world, instance) ? 'answers' : 'silent';
      wanted.set(address, { ports: instancePorts, presence });
    }
    return wanted;
  }
}
