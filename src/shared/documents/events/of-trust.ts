// Events about documents in Redis that were not believed.

import { z } from 'zod';
import { distrustSchema, distrustText, isTaken } from '../terms/distrust.ts';
import { event } from './entry.ts';

/** Told once per kind by each process, and again when it goes on. */
const notBelieved = event(
  'not-believed',
  {
    document: distrustSchema,
    /** The process that found it. */
    by: z.string(),
  },
  {
    level: ({ document }) => (isTaken(document) ? 'warning' : 'error'),
    says: ({ document, by }) =>
      isTaken(document)
        ? `In Redis ${distrustText(document)} (${by}).`
        : `Refused by ${by}: in Redis ${distrustText(document)}. Nothing was done on it.`,
  },
);

export const trustEvents = [notBelieved] as const;
