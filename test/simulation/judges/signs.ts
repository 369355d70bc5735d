// Judges what is done to a host whose guests answer, or whose fencing device shows it on: signs of life that the host's
// own address and heartbeats do not give.
import type { Host, Instance } from '../../../simulator/world/model.ts';
import { guestAnswers } from '../../../simulator/world/physics.ts';
import type { EventFacts } from '../../../src/shared/documents/events/events.ts';
import type { World } from '../world/world.ts';
import { isExternal } from './life.ts';
import { must } from './violation.ts';

/** Who answers for this long is heard before anything more is done. */
const noticedWithinMs = 60_000;

export class Signs {
  readonly #world: World;
  /** Since when some guest of a host answers from it. */
  readonly #guestsSince = new Map<string, number>();
  readonly #poweredSince = new Map<string, number>();
  /** Since when the device of a level was seen to work, by host and level. */
  readonly #deviceSince = new Map<string, number>();
  /** The level whose device proved a host off last. */
  readonly #provenBy = new Map<string, 1 | 2>();
  /** As in deeds.ts. */
  eyesOpenSinceMs: () => number | null = () => null;
  /** Was another machine's device asked for this host? */
  isMisaimed: (host: string) => boolean = () => false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Something may have begun or ceased to answer. */
  follow(): void {
    for (const host of this.#world.hosts.values()) {
      keep(this.#guestsSince, host.name, this.#hasAnswering(host), this.#world.nowMs);
      keep(this.#poweredSince, host.name, host.powered, this.#world.nowMs);
    }
  }

  /** Asked from time to time, as devices tell nobody how they are. */
  sample(): void {
    for (const { name, bmc, bmcFault, outlet, secondOutlet, feeds } of this.#world.hosts.values()) {
      // One that lies says off whatever it is asked.
      keep(this.#deviceSince, `${name} 1`, bmc === 'works' && bmcFault === null, this.#world.nowMs);
      // Each of two outlets shows how it is itself; one that says on is enough.
      const [first, second] = feeds;
      const hasTwo = secondOutlet !== 'none';
      const isShown =
        (outlet === 'works' && (!hasTwo || first.on)) || (hasTwo && secondOutlet !== 'dead' && second.on);
      keep(this.#deviceSince, `${name} 2`, isShown, this.#world.nowMs);
    }
  }

  heard(facts: EventFacts): void {
    if (facts.kind !== 'progress') return;
    const { progress, host } = facts;
    if (progress.step === 'powered-off') this.#provenBy.set(host, progress.level === 1 ? 1 : 2);
    if (progress.step === 'confirmed-off') this.#provenBy.delete(host);
  }

  /** The request to force a host down leaves its worker. */
  forcesDown(host: Host): void {
    if (!host.forcedDown && this.#provenBy.get(host.name) === undefined)
      must(!this.#isNoticed(host), 'no host whose guests answer is forced down', host.name);
  }

  /** A request for an evacuation leaves its worker. */
  asked(guest: Instance, source: Host): void {
    const level = this.#provenBy.get(source.name);
    const detail = `${guest.name} of ${source.name}`;
    if (level === undefined)
      return must(!this.#isNoticed(source), 'no instance is moved while others of its host answer', detail);
    this.sample();
    // Another machine's was asked.
    if (this.isMisaimed(source.name)) return;
    const shown =
      this.#isLong(this.#poweredSince, source.name) &&
      this.#isLong(this.#deviceSince, `${source.name} ${level}`);
    must(!shown, 'no instance is moved from a host that its device shows on', detail);
  }

  #isNoticed({ name }: Host): boolean {
    const openMs = this.eyesOpenSinceMs();
    const isSeen = openMs !== null && this.#world.nowMs - openMs > noticedWithinMs;
    return isSeen && this.#isLong(this.#guestsSince, name);
  }

  #isLong(since: ReadonlyMap<string, number>, key: string): boolean {
    const sinceMs = since.get(key);
    return sinceMs !== undefined && this.#world.nowMs - sinceMs > noticedWithinMs;
  }

  /** One that nobody touched, with an address that can be reached. */
  #hasAnswering(host: Host): boolean {
    const guests = this.#world.instancesOn(host.name);
    return guests.some(
      (guest) =>
        guest.port.host === host.name &&
        guest.evacuationsStarted === 0 &&
        guest.taskState === null &&
        guest.vmState === 'active' &&
        isExternal(guest) &&
        guestAnswers(this.#world, guest),
    );
  }
}

function keep(since: Map<string, number>, key: string, isSo: boolean, nowMs: number): void {
  if (!isSo) since.delete(key);
  else if (!since.has(key)) since.set(key, nowMs);
}
