// Nova's database, changed from outside behind Nova's back: what the database method does to an instance's row.
import type { InstanceMove, MoveResult, NovaHost } from '../../src/ns4/nova-database/nova-database.ts';
import type { Instance } from './model.ts';
import type { World } from './world.ts';

/** UPDATE nova.instances SET host, node. Nothing else changes. */
export function rewriteHost(world: World, instance: Instance, to: NovaHost): void {
  instance.movedFrom = instance.host;
  instance.host = to.host;
  instance.node = to.node;
  instance.updatedAtMs = world.cloudNowMs;
}

/** The same for many, on condition that each is still where it is thought to be. */
export function moveRows(world: World, { ids, from, to }: InstanceMove): MoveResult {
  const result: MoveResult = { moved: [], already: [], elsewhere: [] };
  for (const id of ids) {
    const instance = world.find(id);
    if (instance === undefined) continue;
    if (instance.host === to.host) result.already.push(id);
    else if (instance.host !== from.host) result.elsewhere.push({ id, host: instance.host ?? 'no host' });
    else {
      rewriteHost(world, instance, to);
      result.moved.push(id);
    }
  }
  return result;
}
