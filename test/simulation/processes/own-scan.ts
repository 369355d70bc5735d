// What the judges call the scans that a worker asks for by itself, not by a job.
import type { Process } from './process.ts';

export const ownScanOf = ({ name }: Pick<Process, 'name'>): string => `scan of ${name}`;
