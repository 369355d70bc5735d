// Moments of a history at which something is to happen: the first deed of a kind, the first save of a kind, and later.
import type { Host } from '../../simulator/world/model.ts';
import type { State } from '../../src/monitor/core/state/state.ts';
import type { History } from './history.ts';
import type { Act } from './judges/deeds.ts';
import { underwayIn } from './judges/standing.ts';
import { seconds } from './stroke.ts';

export function later(history: History, [least, most]: readonly [number, number], run: () => void): void {
  history.timeline.after(history.random.between(least * seconds, most * seconds), () => {
    if (!history.isCalm) run();
  });
}

export function onFirst({ judges }: History, wanted: Act, run: (host: Host) => void): void {
  let done = false;
  const { onAct } = judges.deeds;
  judges.deeds.onAct = (what, host) => {
    onAct(what, host);
    if (done || what !== wanted) return;
    done = true;
    run(host);
  };
}

export function onFirstSave({ judges }: History, isMeant: (state: State) => boolean, run: () => void): void {
  const { onSave } = judges;
  let done = false;
  judges.onSave = () => {
    onSave();
    if (done || judges.state === null || !isMeant(judges.state)) return;
    done = true;
    run();
  };
}

export function onFirstRecovery(history: History, run: () => void): void {
  onFirstSave(history, (state) => underwayIn(state).length > 0, run);
}
