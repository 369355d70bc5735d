// How long real machines take from power on: to the first answer, to their first reports, and to their guests.
import type { Boot } from '../../simulator/world/options.ts';
import type { Random } from './random.ts';

/** nova-compute is not enabled there: somebody starts it by hand, when he has looked around. */
const byHandMs = [200_000, 900_000] as const;

/**
 * Some boots are silent for long. Without `quick` ones a minute lies between the first answer and the first guest.
 * `startsGuests`: the operating system starts what ran there before.
 */
export function bootOf(random: Random, quick: boolean, startsGuests: boolean): Boot {
  const kernelMs = random.pick([0, 0, random.between(5_000, 120_000)]);
  const isByHand = startsGuests && random.chance(0.5);
  const novaMs = isByHand ? random.between(...byHandMs) : random.between(quick ? 3_000 : 60_000, 180_000);
  const guestsMs = kernelMs + novaMs;
  return {
    ...{ kernelMs, guestsMs, computeMs: guestsMs },
    agentsMs: kernelMs + random.between(0, 30_000),
    formerGuestsMs: startsGuests ? kernelMs + random.between(quick ? 2_000 : 60_000, 60_000) : null,
  };
}
