// Placement: moving an instance's allocation, for the database method, as Nova never heals it then
// (docs/facts.md#the-database-method).
import { z } from 'zod';
import { CloudError } from '../cloud/cloud.ts';
import { inPath, name, opaqueId } from '../cloud/outside.ts';
import { negotiate, offeredRange, placementRange } from './microversion.ts';
import type { Call, Reply, Session } from './session.ts';
import { SharedValue } from './shared-value.ts';
import { validated } from './validation.ts';

/** Somebody else's update in between: read and write again, this often at most. */
const MAX_TRIES = 5;

/** Of one tree, or of one name. */
const mostProviders = 10_000;

const providersSchema = z.object({
  resource_providers: z.array(z.object({ uuid: opaqueId, name })).max(mostProviders),
});
const allocationsSchema = z.object({
  allocations: z.record(z.string(), z.object({ resources: z.record(z.string(), z.number()) })),
  // All three are absent when there is no allocation.
  consumer_generation: z.number().nullish(),
  project_id: z.string().optional(),
  user_id: z.string().optional(),
});
type Allocations = z.infer<typeof allocationsSchema>;

export class Placement {
  readonly #session: Session;
  readonly #version: SharedValue<string>;

  constructor(session: Session) {
    this.#session = session;
    this.#version = new SharedValue(async () =>
      negotiate(await offeredRange(session, 'placement', session.closing), placementRange, 'Placement'),
    );
  }

  /**
   * Makes Placement count the instance on `toName` only. With nothing on `fromName` it is done already; with
   * allocations on both, the one on `toName` is kept as it is.
   * @throws CloudError; not-done when a provider is unknown, or the allocation is on parts of `fromName` (nested
   * providers: NUMA cells, PCI devices), whose counterparts on the target cannot be told
   */
  async moveAllocation(
    instanceId: string,
    fromName: string,
    toName: string,
    signal: AbortSignal,
  ): Promise<void> {
    const from = await this.#providerNamed(fromName, signal);
    const to = await this.#providerNamed(toName, signal);
    if (from === to) return;
    const path = `/allocations/${inPath(instanceId)}`;
    for (let tries = 1; ; tries++) {
      const reply = await this.#call({ method: 'GET', path }, signal);
      const current = validated(allocationsSchema, reply.body, reply.what);
      if (Object.keys(current.allocations).length === 0) {
        throw new CloudError('not-done', `Placement has no allocation for ${instanceId}`, null);
      }
      await this.#refuseNested(current, from, fromName, signal);
      const moved = movedAllocations(current, from, to);
      if (moved === null) return;
      const body = {
        allocations: moved,
        consumer_generation: current.consumer_generation,
        project_id: current.project_id,
        user_id: current.user_id,
      };
      try {
        await this.#call({ method: 'PUT', path, body }, signal);
        return;
      } catch (error) {
        // A conflict is a refusal: nothing was done, so this change may be made again from what is there now.
        if (tries >= MAX_TRIES || !isConcurrentUpdate(error)) throw error;
      }
    }
  }

  async #providerNamed(name: string, signal: AbortSignal): Promise<string> {
    const query = new URLSearchParams({ name });
    const reply = await this.#call({ method: 'GET', path: '/resource_providers', query }, signal);
    const found = validated(providersSchema, reply.body, reply.what).resource_providers.find(
      (p) => p.name === name,
    );
    if (found) return found.uuid;
    throw new CloudError('not-done', `Placement knows no resource provider ${name}`, null);
  }

  async #refuseNested(
    current: Allocations,
    from: string,
    fromName: string,
    signal: AbortSignal,
  ): Promise<void> {
    const others = Object.keys(current.allocations).filter((uuid) => uuid !== from);
    if (others.length === 0) return;
    const query = new URLSearchParams({ in_tree: from });
    const reply = await this.#call({ method: 'GET', path: '/resource_providers', query }, signal);
    const tree = validated(providersSchema, reply.body, reply.what).resource_providers;
    const nested = tree.find((provider) => others.includes(provider.uuid));
    if (nested) {
      throw new CloudError(
        'not-done',
        `the allocation is on ${nested.name}, a part of ${fromName}: move it by hand`,
        null,
      );
    }
  }

  async #call(call: Omit<Call, 'service' | 'microversion'>, signal: AbortSignal): Promise<Reply> {
    const microversion = `placement ${await this.#version.get(signal)}`;
    return this.#session.call({ ...call, service: 'placement', microversion }, signal);
  }
}

/** The allocations with `to` in the place of `from`; shared providers (storage) stay. Null: nothing on `from`. */
export function movedAllocations(
  current: Pick<Allocations, 'allocations'>,
  from: string,
  to: string,
): Allocations['allocations'] | null {
  const { [from]: leaving, ...staying } = current.allocations;
  if (leaving === undefined) return null;
  const moved = Object.entries({ [to]: leaving, ...staying });
  // Only what a PUT takes: the answer has each provider's generation, too.
  return Object.fromEntries(moved.map(([uuid, { resources }]) => [uuid, { resources }]));
}

function isConcurrentUpdate(error: unknown): boolean {
  return (
    error instanceof CloudError &&
    error.status === 409 &&
    error.message.includes('placement.concurrent_update')
  );
}
