// Where the watch over senses stands: who could not be told dead is asked for now and then.
import { z } from 'zod';
import { contracts } from '../../../shared/documents/jobs/contracts.ts';

/** The first since this monitor leads: what it finds is said although it stands already. */
const isFirst = z.boolean().default(false);

export const surveyPhaseSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('resting'),
    nextSurveyMs: z.number(),
    isFirst,
    /** The next inventory is what it waits for, if that comes sooner. */
    awaitsInventory: z.boolean().default(false),
  }),
  z.object({
    kind: z.literal('surveying'),
    sinceMs: z.number(),
    job: contracts['survey-senses'].request,
    isFirst,
  }),
]);
export type SurveyPhase = z.infer<typeof surveyPhaseSchema>;

/** Nobody was asked for yet. */
export const firstSurveyPhase: SurveyPhase = {
  ...{ kind: 'resting', nextSurveyMs: 0 },
  ...{ isFirst: false, awaitsInventory: false },
};

/** There is a new inventory: what waited for it is due. */
export const withInventory = (phase: SurveyPhase, nowMs: number): SurveyPhase =>
  phase.kind === 'resting' && phase.awaitsInventory
    ? { ...phase, nextSurveyMs: nowMs, awaitsInventory: false }
    : phase;
