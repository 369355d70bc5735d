// `npm run simulate`: histories from SEED on (1), RUNS of them (20000; 1 tells its story), on WORKERS processes (1).
// FOCUS: only of what one of the foci in foci.ts is about. ALL=yes: with what the code cannot bear yet (not-yet.ts).
// Exit code 1 when something was violated.
import { runHistories, toldBy } from './run/crew.ts';
import { wholeNumber } from './run/environment.ts';
import { replay } from './run/story.ts';
import { firstViolation, type Totals } from './run/totals.ts';

const from = wholeNumber('SEED', 1);
const runs = wholeNumber('RUNS', 20_000);
const workers = wholeNumber('WORKERS', 1);
const focus = process.env.FOCUS || null;
const print = (text: string) => process.stdout.write(`${text}\n`);

if (runs === 1) {
  const [story] = await toldBy([from], focus);
  print(story?.text ?? '');
  process.exit(story?.outcome.violation === null ? 0 : 1);
}
const startedAtMs = Date.now();
let toldAtMs = startedAtMs;
const totals = await runHistories({
  ...{ from, runs, workers, focus },
  onProgress: (soFar) => {
    if (Date.now() - toldAtMs < 30_000) return;
    toldAtMs = Date.now();
    print(`${soFar.runs} of ${runs} runs, ${violations(soFar)}`);
  },
});
const tookS = (Date.now() - startedAtMs) / 1_000;
summarize(totals);
const first = firstViolation(totals);
if (first !== null) {
  const [story] = await toldBy([first.seed], focus);
  print(`\nThe story of seed ${first.seed} (${replay(first.seed, focus)}):\n${story?.text}`);
  process.exitCode = 1;
}

function summarize({ figures, refusals }: Totals): void {
  const { virtualMs = 0, events, saves, recoveries, attempts, evacuations } = figures;
  const { secondWriters, secondWritersOnCeph, excused, unaware, recoveredAfterCalm } = figures;
  const perSecond = Math.round(runs / tookS);
  print(
    `${runs} runs from seed ${from} in ${tookS.toFixed(1)} s (${perSecond} runs/s), ${violations(totals)}`,
  );
  print(`  ${(virtualMs / 3_600_000).toFixed(0)} hours of virtual time, ${events} events, ${saves} saves`);
  print(
    `  ${recoveries} recoveries begun, ${attempts} continued by another worker, ${evacuations} evacuations`,
  );
  print(`  ${recoveredAfterCalm} dead hosts recovered after the trouble was over, as demanded`);
  print(
    `  ${secondWriters} second writers by instances that lived on unseen, ${excused} of them with fencing required: power came back after the last look, or the device lied`,
  );
  print(`  ${secondWritersOnCeph} of them with disks on Ceph`);
  print(`  ${unaware} shots by machines that stood still while the last answer was on its way`);
  print('  refusals:');
  for (const [name, count] of Object.entries(refusals).sort((a, b) => b[1] - a[1]))
    print(`    ${String(count).padStart(8)}  ${name}`);
  for (const [rule, { count, seeds }] of Object.entries(totals.violations))
    print(`  VIOLATED ${count} times: ${rule} (seeds ${seeds.join(', ')})`);
}

function violations(all: Totals): string {
  const count = Object.values(all.violations).reduce((sum, violation) => sum + violation.count, 0);
  return count === 0 ? 'no violation' : `${count} VIOLATIONS`;
}
