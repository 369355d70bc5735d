// What tests believe of Redis: everything, or what is signed by a key of theirs.
import type { Distrust } from '../../src/shared/documents/terms/distrust.ts';
import { type Clock, systemClock } from '../../src/shared/ground/clock.ts';
import { type Signing, Trust } from '../../src/shared/trust/trust.ts';

/** As in a key file. */
export const testKey = 'sonny-test-key-sonny-test-key-sonny-test-ke';
export const otherKey = 'another-test-key-another-test-key-another-t';

/** As a process without a key file. */
export const noKey = (cloud = 'test'): Trust =>
  new Trust({ cloud, signing: null, clock: systemClock, tell: () => {} });

/** As a process with one; `told` gets what it does not believe. */
export function keyed(
  cloud = 'test',
  options: {
    readonly keys?: readonly string[];
    readonly unsigned?: Signing['unsigned'];
    readonly clock?: Pick<Clock, 'nowMs' | 'steadyMs'>;
    readonly told?: Distrust[];
  } = {},
): Trust {
  const { keys = [testKey], unsigned = 'refuse', clock = systemClock, told = [] } = options;
  return new Trust({ cloud, signing: { keys, unsigned }, clock, tell: (what) => told.push(what) });
}
