// Cells of Nova. One that does not answer hides its services and servers, and the whole list of hypervisors
// (docs/facts.md#cells).
import type { Host, Instance } from './model.ts';
import { ApiRefusal } from './refusal.ts';
import type { World } from './world.ts';

export const isCellDown = (world: World, host: Host): boolean => world.downCells.has(host.cell);

/** Is it in a cell that does not answer? */
export function isHidden(world: World, { host }: Pick<Instance, 'host'>): boolean {
  const on = host === null ? undefined : world.hosts.get(host);
  return on !== undefined && isCellDown(world, on);
}

/** Refuses a change of what is in a cell that does not answer: Nova cannot load it. */
export function needCell(world: World, host: string | null): void {
  const on = host === null ? undefined : world.hosts.get(host);
  if (on !== undefined && isCellDown(world, on))
    throw new ApiRefusal(500, `Cell ${on.cell} is not responding`);
}
