// Placement's books: which consumer (instance) takes what from which provider (hypervisor), with the generations by
// which a stale writer is refused.
import { ApiRefusal } from './refusal.ts';

export type Resources = Readonly<Record<string, number>>;

interface Provider {
  readonly id: string;
  readonly name: string;
  generation: number;
}

interface Consumer {
  readonly projectId: string;
  readonly userId: string;
  readonly generation: number;
  /** By provider id. */
  readonly allocations: ReadonlyMap<string, Resources>;
}

/** All providers and consumers. */
export class PlacementBook {
  readonly providers = new Map<string, Provider>();
  readonly consumers = new Map<string, Consumer>();

  addProvider(id: string, name: string): void {
    this.providers.set(id, { id, name, generation: 2 });
  }

  /** Books resources of one more provider for a consumer, beside what it already has (as an evacuation does). */
  add(consumerId: string, providerId: string, resources: Resources, owner: { projectId: string }): void {
    const known = this.consumers.get(consumerId);
    const allocations = new Map(known?.allocations ?? []);
    allocations.set(providerId, resources);
    this.#store(consumerId, {
      projectId: known?.projectId ?? owner.projectId,
      userId: known?.userId ?? owner.projectId,
      generation: (known?.generation ?? 0) + 1,
      allocations,
    });
  }

  /** Takes a consumer's booking on one provider away. */
  remove(consumerId: string, providerId: string): void {
    const known = this.consumers.get(consumerId);
    if (known === undefined || !known.allocations.has(providerId)) return;
    const allocations = new Map(known.allocations);
    allocations.delete(providerId);
    this.#store(consumerId, { ...known, generation: known.generation + 1, allocations });
  }

  /** Replaces all bookings of a consumer; `generation` is the one the writer has seen, null for a new consumer. */
  replace(consumerId: string, next: Omit<Consumer, 'generation'>, generation: number | null): void {
    const known = this.consumers.get(consumerId);
    const expected = known?.generation ?? null;
    if (generation !== expected) {
      throw new ApiRefusal(
        409,
        `There was a conflict when trying to complete your request.\n\n consumer generation conflict - expected ${expected ?? 'null'} but got ${generation ?? 'None'}  `,
        'placement.concurrent_update',
      );
    }
    for (const provider of next.allocations.keys()) {
      if (this.providers.has(provider)) continue;
      throw new ApiRefusal(
        400,
        `The server could not comply with the request since it is either malformed or otherwise incorrect.\n\n Allocation for resource provider '${provider}' that does not exist.  `,
      );
    }
    this.#store(consumerId, { ...next, generation: (known?.generation ?? 0) + 1 });
  }

  #store(consumerId: string, consumer: Consumer): void {
    // As in Placement, a consumer without allocations is none.
    if (consumer.allocations.size === 0) this.consumers.delete(consumerId);
    else this.consumers.set(consumerId, consumer);
    for (const provider of consumer.allocations.keys()) {
      const record = this.providers.get(provider);
      if (record !== undefined) record.generation += 1;
    }
  }
}
