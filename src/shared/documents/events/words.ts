// Small pieces of the events' sentences.
import { shortened } from '../terms/shortened.ts';

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;

/** At most `most` names, and how many more there are. */
export const list = (names: readonly string[], most = 20): string => shortened(names, most);

export const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);
