// How the disks of instances are read whose opener and owner are looked for: all of their images, in the time that so
// many of them need. Pure.
import { disksOf, sistersOf } from '../storage/image-names.ts';
import type { Asked } from './ask-instances.ts';

/** For a few images… */
const leastMs = 5_000;
/** …and for each one: librbd opens eight at once, in 16 ms each where Ceph is at peace. Absent ones cost next to nothing. */
const eachMs = 20;

/** `POOL/NAME` of everything that these instances may have. */
export const imagesOf = (instances: readonly Asked[], pools: readonly string[]): string[] =>
  instances.flatMap((one) => [...disksOf(one, pools), ...sistersOf(one, pools)]);

/** For one list of watchers or locks; no more than `mostMs`, but where that is too little for a few. */
export const readMs = (images: number, mostMs: number): number =>
  Math.max(leastMs, Math.min(leastMs + images * eachMs, mostMs));
