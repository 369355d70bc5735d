// Which disks of instances are on none of the pools: nothing keeps whoever is cut off from this Ceph from writing to those.
// Pure.
import type { ByImage } from '../storage/storage.ts';
import type { Asked } from './ask-instances.ts';

/** One that is missing; no volume: the instance's own. */
export interface MissingDisk<T> {
  readonly instance: T;
  readonly volume: string | null;
}

/**
 * `found`: what an answer about each of their images came to. An instance with volumes may have no disk of its own, as one
 * that boots from a volume.
 */
export function missingDisks<T extends Asked>(
  instances: readonly T[],
  pools: readonly string[],
  found: ByImage<{ readonly kind: string }>,
): MissingDisk<T>[] {
  const isHere = (name: string) =>
    pools.some((pool) => (found.get(`${pool}/${name}`) ?? { kind: 'absent' }).kind !== 'absent');
  return instances.flatMap((instance): MissingDisk<T>[] => {
    const { id, volumes } = instance;
    if (volumes.length === 0) return isHere(`${id}_disk`) ? [] : [{ instance, volume: null }];
    return volumes.filter((volume) => !isHere(`volume-${volume}`)).map((volume) => ({ instance, volume }));
  });
}
