// The lease in the pretend Redis. A holder that runs and reaches Redis counts as having renewed it just now, so that no
// event is spent on it; from the moment it does not, the lease runs out as the real one would.
import { type Lease, leaseMs } from '../../../src/monitor/lease.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { RedisLink } from './redis-link.ts';

interface Held {
  readonly text: string;
  readonly link: RedisLink;
  /** Set when its holder ceased to renew it. */
  untilMs: number;
}

/** To be called when its holder may just have lost its way to Redis: from then on it runs out. */
export function heldLease(redis: PretendRedis): Held | undefined {
  const { nowMs } = redis.timeline;
  const held = redis.get<Held>('lease');
  if (held === undefined) return undefined;
  const { link } = held;
  const renews = link.process.running && !link.isCut && !redis.away;
  // Last renewed two seconds ago at most.
  if (!renews && held.untilMs === Number.POSITIVE_INFINITY) held.untilMs = nowMs + leaseMs - 1_000;
  return held.untilMs <= nowMs ? undefined : held;
}

export class PretendLease implements Pick<Lease, 'who' | 'take' | 'renew' | 'release'> {
  readonly who: string;
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
    this.who = link.process.name;
  }

  isOurs(): boolean {
    const held = heldLease(this.#link.redis);
    return held !== undefined && held.text === this.who;
  }

  /** When somebody else may have it; infinity while its holder keeps renewing it. */
  freeAtMs(): number {
    return heldLease(this.#link.redis)?.untilMs ?? 0;
  }

  take(floor: number): Promise<number | null> {
    const { redis, process } = this.#link;
    return this.#link.call(() => {
      const held = heldLease(redis);
      if (held !== undefined && held.text !== this.who) return null;
      const stored = redis.get<number>('epoch') ?? 0;
      const epoch = Math.max(stored + 1, process.timeline.nowMs, floor + 1);
      redis.set('epoch', epoch);
      redis.set('lease', {
        ...{ text: this.who, link: this.#link, untilMs: Number.POSITIVE_INFINITY },
      } satisfies Held);
      return epoch;
    });
  }

  renew(): Promise<boolean> {
    return this.#link.call(() => {
      const held = heldLease(this.#link.redis);
      if (held?.text !== this.who) return false;
      held.untilMs = Number.POSITIVE_INFINITY;
      return true;
    });
  }

  release(): Promise<void> {
    const { redis } = this.#link;
    return this.#link.call(() => {
      if (this.isOurs()) redis.delete('lease');
    });
  }
}
