// Every field of every answer of OpenStack bent, while the three processes watch and while they recover a host: nobody dies,
// rounds go on when the answers are straight again, and whatever an answer said, nothing is done to anybody who lives and no
// disk gets a second writer. `SEED` repeats it, `RUNS` makes it longer.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Random } from '../simulation/random.ts';
import { Bending } from './bending.ts';
import { Crew } from './crew.ts';
import { seeded } from './nonsense.ts';

let crew: Crew;
afterEach(() => crew?.close());

const bentPerRound = 30;
const batchMs = 25_000;

/** Until so many answers were bent, or for so long. */
async function bentFor(bending: Bending, random: Random, share: number): Promise<void> {
  const before = bending.count;
  crew.simulator.bend((call, answer) => (random.chance(share) ? bending.bend(call, answer) : answer));
  for (let waited = 0; waited < batchMs && bending.count - before < bentPerRound; waited += 50)
    await delay(50);
  crew.simulator.bend(null);
}

test('while all is well', async () => {
  const { random, runs } = seeded('bent answers of OpenStack, all is well', 5);
  crew = await Crew.open();
  await crew.start();
  const bending = new Bending(random, (what) => crew.note(what));
  for (let run = 0; run < runs; run += 1) {
    await bentFor(bending, random, 0.4);
    await crew.goesOn();
    crew.judgeTruth();
  }
  process.stdout.write(
    `${bending.tried.total} of ${bending.count} answers bent in ${bending.tried.fields.length} fields, ` +
      `${bending.tried.untouched.length} of them untouched; the longest round ${crew.longestMs} ms\n`,
  );
  expect(bending.tried.total).toBeGreaterThan(100);
}, 600_000);

test('while a host is recovered', async () => {
  const { random, runs } = seeded('bent answers of OpenStack, a host dies', 3);
  crew = await Crew.open();
  await crew.start();
  const bending = new Bending(random, (what) => crew.note(what));
  await crew.simulator.kill('hv01');
  for (let run = 0; run < runs; run += 1) {
    await bentFor(bending, random, 0.15);
    await crew.goesOn();
    crew.judgeTruth(['hv01']);
  }
  // The answers are straight again: everybody is back, or the report says who is not.
  await crew.household.waitForEvent(({ facts }) => facts.kind === 'recovery-ended', 90_000);
  crew.judgeTruth(['hv01']);
  const told = (await crew.household.events()).filter(({ facts }) => facts.kind === 'recovery-ended');
  for (const name of ['vm-1', 'vm-2', 'vm-3']) {
    const { host } = crew.simulator.snapshot().servers[name] ?? {};
    if (host === 'hv01') expect(told.map(({ text }) => text).join('\n')).toContain(name);
  }
  process.stdout.write(`${bending.count} answers bent; ${told.map(({ text }) => text).join(' / ')}\n`);
}, 600_000);
