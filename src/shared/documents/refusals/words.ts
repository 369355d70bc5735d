// Small pieces of the refusals' sentences.
import { shortened } from '../terms/shortened.ts';

export const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** At most eight names, and how many more there are. */
export const list = (names: readonly string[]): string => shortened(names, 8);
