// Simulated histories without a violation. One that violates something is told as a story.
import { expect, test } from 'vitest';
import { foci } from './foci.ts';
import { isAwaited } from './not-yet.ts';
import { runHistories, toldBy } from './run/crew.ts';
import { replay } from './run/story.ts';
import { firstViolation } from './run/totals.ts';

const runs = 20_000;
/** Of each focus; more of them with `FOCUS=... npm run simulate`. */
const runsOfFocus = 5;
/** No longer than this, as `npm test` has more to do; CI runs all of them by `npm run simulate`. */
const withinMs = 10_000;

test(`up to ${runs} histories from seed 1 on`, { timeout: 300_000 }, async () => {
  const totals = await runHistories({ from: 1, runs, workers: 2, withinMs });
  if (totals.runs < runs) process.stderr.write(`${totals.runs} histories in ${withinMs / 1_000} s\n`);
  const first = firstViolation(totals);
  if (first !== null)
    expect.fail(
      `${JSON.stringify(totals.violations)}\n${(await toldBy([first.seed]))[0]?.text}\nReplay: ${replay(first.seed)}`,
    );
  // Were these the histories that are meant?
  const { recoveries = 0, evacuations = 0, attempts = 0, recoveredAfterCalm = 0 } = totals.figures;
  expect(recoveries).toBeGreaterThan(totals.runs / 10);
  expect(evacuations).toBeGreaterThan(totals.runs / 10);
  expect(attempts).toBeGreaterThan(totals.runs / 100);
  expect(recoveredAfterCalm).toBeGreaterThan(totals.runs / 100);
});

/** Those that the code is to bear already. */
const ready = Object.keys(foci).filter((name) => !isAwaited(foci[name]?.awaits ?? []));

// Each in a thread of its own, most of which is the time to load what it plays.
test.concurrent.each(ready)(`${runsOfFocus} histories of "%s"`, { timeout: 120_000 }, async (focus) => {
  const totals = await runHistories({ from: 1, runs: runsOfFocus, workers: 1, focus });
  const first = firstViolation(totals);
  if (first !== null)
    expect.fail(`${(await toldBy([first.seed], focus))[0]?.text}\nReplay: ${replay(first.seed, focus)}`);
});

test('a history is the same each time it is run', async () => {
  const seeds = [7, 77, 777];
  const texts = (await toldBy([...seeds, ...seeds])).map(({ text }) => text);
  expect(texts).toHaveLength(2 * seeds.length);
  expect(texts.slice(seeds.length)).toEqual(texts.slice(0, seeds.length));
});
