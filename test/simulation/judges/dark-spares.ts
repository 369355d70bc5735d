// Since when hosts of OVN clouds have no ovn-controller that lives, while others have: nobody's instances are to go there.
import { isChassisAlive } from '../../../simulator/world/ovn.ts';
import type { World } from '../world/world.ts';
import { must } from './violation.ts';

/** Whoever is gone for so long was missing in a list of the agents that everybody's verdict rests on. */
const noticedWithinMs = 90_000;

export class DarkSpares {
  readonly #world: World;
  readonly #sinceMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Asked from time to time. Where nobody beats, or stamps are those of requests, nothing can be known. */
  sample(): void {
    const hosts = [...this.#world.hosts.values()];
    const isAlive = (host: (typeof hosts)[number]) => isChassisAlive(this.#world, host);
    const isTold = this.#world.ovn?.era === 'beat' && hosts.some(isAlive);
    for (const host of hosts) {
      if (!isTold || isAlive(host)) this.#sinceMs.delete(host.name);
      else if (!this.#sinceMs.has(host.name)) this.#sinceMs.set(host.name, this.#world.nowMs);
    }
  }

  /** Is it without one now, as far as anybody can tell? */
  isDark(host: string): boolean {
    this.sample();
    return this.#sinceMs.has(host);
  }

  /** A verdict sends instances there. */
  chosen(spare: string): void {
    const darkMs = this.#world.nowMs - (this.#sinceMs.get(spare) ?? this.#world.nowMs);
    must(darkMs <= noticedWithinMs, 'the spare has a network', spare);
  }
}
