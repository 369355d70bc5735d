// All watches of the monitor. One more is one more entry here.
import { hostsWatch } from './hosts/watch.ts';
import type { Watch } from './watch.ts';

export const watches: readonly Watch[] = [hostsWatch];
