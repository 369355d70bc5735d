// Where the watch over senses stands: who could not be told dead is asked for now and then.
import { z } from 'zod';
import { contracts } from '../../../shared/documents/jobs/contracts.ts';

export const surveyPhaseSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('resting'), nextSurveyMs: z.number() }),
  z.object({ kind: z.literal('surveying'), sinceMs: z.number(), job: contracts['survey-senses'].request }),
]);
export type SurveyPhase = z.infer<typeof surveyPhaseSchema>;

/** Nobody was asked for yet. */
export const firstSurveyPhase: SurveyPhase = { kind: 'resting', nextSurveyMs: 0 };
