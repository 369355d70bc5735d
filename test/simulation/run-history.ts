// One history from its seed to its end: trouble, then calm, then the question whether everything came to its end.

import { unstick } from '../../simulator/world/evacuation.ts';
import { type Focus, foci } from './foci.ts';
import { generate } from './generate.ts';
import { Violation } from './judges/violation.ts';
import { demands, settledBefore } from './liveness.ts';
import { Random } from './random.ts';
import { fairWeather } from './weather.ts';

export interface Outcome {
  readonly seed: number;
  readonly violation: { readonly rule: string; readonly text: string } | null;
  readonly figures: Figures;
}

interface Figures {
  virtualMs: number;
  events: number;
  saves: number;
  recoveries: number;
  attempts: number;
  evacuations: number;
  secondWriters: number;
  /** Of these with disks on Ceph: their host was proven off and could not be cut off. */
  secondWritersOnCeph: number;
  /** Of these with fencing required: nobody could have known of them when the request left. */
  excused: number;
  /** Shots of machines that were paused with both clocks while the answer to their last question was on its way. */
  unaware: number;
  recoveredAfterCalm: number;
  refusals: Record<string, number>;
}

/** Tells the story of it when `hear` is given: true time, who speaks, and what. */
export type Hear = (atMs: number, who: 'world' | 'sonny', text: string) => void;

/** Errors are many here, and nobody reads where they came from. */
Error.stackTraceLimit = 0;

/** `focus`: the name of one of the foci, or null. */
export async function runHistory(
  seed: number,
  focus: string | null = null,
  hear: Hear | null = null,
): Promise<Outcome> {
  const { history, calmMs } = generate(
    new Random(seed),
    focus === null ? null : focusOf(focus),
    process.env.ALL === 'yes',
  );
  const { timeline, world, judges } = history;
  const startMs = timeline.nowMs;
  if (hear !== null) {
    world.tell = (text) => hear(timeline.nowMs - startMs, 'world', text);
    history.hear = (event) => hear(timeline.nowMs - startMs, 'sonny', event.text);
  }
  let violation: Outcome['violation'] = null;
  let recoveredAfterCalm = 0;
  try {
    history.start();
    history.rival?.start();
    await timeline.runUntil(calmMs);
    const touched = settledBefore(history);
    calm(history);
    const demanded = demands(history, touched);
    await timeline.runUntil(demanded.untilMs, () => demanded.isMet());
    demanded.judge();
    recoveredAfterCalm = demanded.recovered();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = { rule: error.rule, text: error.message };
  }
  const { counts, refusals, deeds } = judges;
  return {
    ...{ seed, violation },
    figures: {
      virtualMs: timeline.nowMs - startMs,
      ...{
        events: timeline.events,
        saves: counts.saves,
        recoveries: counts.recoveries,
        attempts: counts.attempts,
      },
      ...{
        evacuations: deeds.counts.taken,
        secondWriters: deeds.counts.secondWriters,
        secondWritersOnCeph: history.ceph === null ? 0 : deeds.counts.secondWriters,
        excused: deeds.counts.excused,
        unaware: deeds.counts.unaware,
        recoveredAfterCalm,
        refusals,
      },
    },
  };
}

function focusOf(name: string): Focus {
  const focus = foci[name];
  if (focus === undefined) throw new Error(`no focus ${name}, but ${Object.keys(foci).join(', ')}`);
  return focus;
}

/** Everything works again, but the dead stay dead. */
function calm(history: Parameters<typeof demands>[0]): void {
  history.world.tell('calm: everything works again, the dead stay dead');
  history.isCalm = true;
  Object.assign(history.setting.weather, fairWeather);
  for (const heal of history.healings) heal();
  unstick(history.world);
  history.downMs = () => 2_000;
  history.poke();
  if (history.rival === null) return;
  history.rival.isCalm = true;
  history.rival.downMs = history.downMs;
}
