// Judges that nobody who runs twice is passed over in silence: a host that was recovered and is heard again, with the
// instances that were taken from it still on it, has to be called out.
import type { Host, Instance } from '../../../simulator/world/model.ts';
import type { SonnyEvent } from '../../../src/shared/documents/events/events.ts';
import type { World } from '../world/world.ts';
import { must } from './violation.ts';

export const toldOfTwice = 'instances that run twice are told of';
/** A few periods of the monitor. */
const toldWithinMs = 200_000;
/** Words for an evacuation whose source has not cleaned up. */
const isLeft: ReadonlySet<string> = new Set(['accepted', 'pre-migrating', 'done']);

export class Twice {
  readonly #world: World;
  /** When it was last said of each host, in whatever words. */
  readonly #saidMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  heard({ text }: SonnyEvent): void {
    if (!/twice/i.test(text)) return;
    const { hosts, timeline } = this.#world;
    for (const name of hosts.keys()) if (text.includes(name)) this.#saidMs.set(name, timeline.nowMs);
  }

  /** Asked from time to time; a monitor has watched for so long without a break. */
  judge(watchedMs: number, recovered: ReadonlySet<string>): void {
    if (watchedMs < toldWithinMs) return;
    const { hosts, timeline } = this.#world;
    for (const host of hosts.values()) {
      if (!recovered.has(host.name) || host.answersSinceMs === null) continue;
      if (timeline.nowMs - host.answersSinceMs < toldWithinMs) continue;
      const doubled = this.#doubled(host);
      if (doubled === undefined) continue;
      const saidMs = this.#saidMs.get(host.name) ?? Number.NEGATIVE_INFINITY;
      must(saidMs >= host.answersSinceMs - toldWithinMs, toldOfTwice, `${doubled} on ${host.name}`);
    }
  }

  /** One that Sonny had started elsewhere long ago, and that still runs here, as far as Nova's records can show it. */
  #doubled({ name }: Host): string | undefined {
    const { instances, timeline } = this.#world;
    return instances.find(
      (instance) =>
        instance.host !== null &&
        instance.host !== name &&
        instance.runningOn.has(name) &&
        instance.runningOn.has(instance.host) &&
        timeline.nowMs - (instance.startedMs.get(instance.host) ?? timeline.nowMs) > toldWithinMs &&
        this.#isReadable(instance, name),
    )?.name;
  }

  /**
   * A nova-compute that was started has destroyed its copies and says so. What an order in its queue starts after that
   * shows in no record of Nova. Of what was moved by the database there is none, and somebody has to look.
   */
  #isReadable(instance: Instance, source: string): boolean {
    const records = this.#world.migrations.filter(
      (m) => m.type === 'evacuation' && m.instance === instance && m.source === source,
    );
    return records.length === 0 || records.some(({ status }) => isLeft.has(status));
  }
}
