// What changes when a monitor takes the lead. Pure.

import { enterSafeMode } from './incidents/safe-mode.ts';
import type { Draft } from './state/draft.ts';
import type { Input } from './state/input.ts';
import { surveyAfterStart } from './watches/senses/watch.ts';

/** From now on jobs carry this epoch, and the assignments name it. */
export function beginLeading(draft: Draft, { epoch, who, found }: Extract<Input, { kind: 'leads' }>): void {
  draft.state.epoch = epoch;
  const { fencing } = draft.rules;
  draft.say({ kind: 'monitor-started', resumed: found !== 'nothing', who, epoch, fencing });
  if (found === 'lost') enterSafeMode(draft, 'Redis lost all that it held');
  if (found === 'nothing') draft.state.unproven = true;
  surveyAfterStart(draft, found);
}
