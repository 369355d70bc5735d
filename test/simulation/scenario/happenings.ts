// What may happen in a scenario, in the words of its file: the sentences of the catalogue of faults.
import { worldScript } from '../../../simulator/faults/world-faults.ts';
import type { History } from '../history.ts';
import { householdScript } from '../household-faults.ts';

/** Makes happen what a scenario's file says. */
export function happen(history: History, sentence: string): void {
  if (worldScript(history.world, sentence) || householdScript(history, sentence)) return;
  throw new Error(`a scenario cannot say "${sentence}"`);
}
