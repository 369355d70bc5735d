// Which RBD images an instance may have, by the names that Nova and Cinder give them. Neither API tells the pool, so each
// name is looked for in every pool; that it is absent is an answer.

/** What an instance's disks are named after; `volumes`: ids of the volumes attached to it. */
export interface InstanceDisks {
  readonly id: string;
  readonly volumes: readonly string[];
}

/** As Nova's images_type = rbd names what an instance has beside its disk. */
const sisterEndings = ['.config', '.swap', '.eph0', '.rescue'];

/**
 * `POOL/NAME` of the disks that a running instance writes to. An instance that boots from a volume has no `_disk`; a
 * volume that was migrated between pools may have another name.
 */
export function disksOf({ id, volumes }: InstanceDisks, pools: readonly string[]): string[] {
  return inEach(pools, [`${id}_disk`, ...volumes.map((volume) => `volume-${volume}`)]);
}

/** `POOL/NAME` of what it may have beside them: config drive, swap, ephemeral disk, rescue disk. */
export function sistersOf({ id }: InstanceDisks, pools: readonly string[]): string[] {
  return inEach(
    pools,
    sisterEndings.map((ending) => `${id}_disk${ending}`),
  );
}

/** Is it a volume, which instances on several hypervisors may share? `image`: `POOL/NAME`. */
export const isVolume = (image: string): boolean => image.includes('/volume-');

const inEach = (pools: readonly string[], names: readonly string[]): string[] =>
  names.flatMap((name) => pools.map((pool) => `${pool}/${name}`));
