// Every key of Redis filled with garbage while the three processes live, with signatures and without: nobody dies but in
// order, rounds go on, sonny answers, and nothing is done to anybody who lives. `SEED` repeats it, as far as the same keys are
// there at the same time; `RUNS` makes it longer.
import { afterEach, expect, test } from 'vitest';
import { Crew } from './crew.ts';
import { seeded } from './nonsense.ts';
import { RedisGarbage } from './redis-garbage.ts';

let crew: Crew;
afterEach(() => crew?.close());

const perRound = 6;

test.each([
  ['signed', true],
  ['without a key', false],
])(
  '%s',
  async (name, key) => {
    const { random, runs } = seeded(`garbage in Redis, ${name}`, 15);
    crew = await Crew.open({ key });
    await crew.start();
    // What a recovery leaves stands there then as well.
    await crew.simulator.kill('hv01');
    await crew.household.waitForEvent(({ facts }) => facts.kind === 'recovery-ended', 60_000);
    const garbage = new RedisGarbage(crew.household.redis, crew.keys, random);
    for (let run = 0; run < runs; run += 1) {
      for (let i = 0; i < perRound; i += 1) crew.note(await garbage.leave());
      await crew.goesOn();
      crew.judgeTruth(['hv01']);
    }
    process.stdout.write(
      `${runs * perRound} pieces of garbage in ${garbage.kinds.length} kinds of keys, ${garbage.tried.fields.length} fields; ` +
        `the longest round ${crew.longestMs} ms; ${crew.ends.length} ends in order\n`,
    );
    expect(garbage.kinds.length).toBeGreaterThan(30);
  },
  600_000,
);
