// How long real machines take from power on: to the first answer, to their first reports, and to their guests.
import type { Boot } from '../../simulator/world/options.ts';
import type { Random } from './random.ts';

/** Some boots are silent for long. Without `quick` ones a minute lies between the first answer and the first guest. */
export function bootOf(random: Random, quick: boolean): Boot {
  const kernelMs = random.pick([0, 0, random.between(5_000, 120_000)]);
  const guestsMs = kernelMs + random.between(quick ? 3_000 : 60_000, 180_000);
  return {
    ...{ kernelMs, guestsMs, computeMs: guestsMs },
    agentsMs: kernelMs + random.between(0, 30_000),
  };
}
