// What changes when a monitor takes the lead. Pure.
import { hold } from './safe-mode.ts';
import type { Input } from './state.ts';
import type { Turn } from './step-draft.ts';

/** From now on orders carry this epoch, and the assignments name it. */
export function beginLeading(turn: Turn, { epoch, who, found }: Extract<Input, { kind: 'leads' }>): void {
  turn.state.epoch = epoch;
  const { fencing } = turn.rules;
  turn.say({ kind: 'monitor-started', resumed: found !== 'nothing', who, epoch, fencing });
  if (found === 'lost') hold(turn, 'Redis lost all that it held');
  if (found === 'nothing') turn.state.unproven = true;
}
