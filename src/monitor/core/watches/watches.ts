// All watches of the monitor. One more is one more entry here.

import type { Watch } from '../state/watch.ts';
import { hostsWatch } from './hosts/watch.ts';
import { returnsWatch } from './returns/watch.ts';
import { sensesWatch } from './senses/watch.ts';

export const watches: readonly Watch[] = [hostsWatch, returnsWatch, sensesWatch];
