// `npm run mutations`: takes out one guard after the other and counts the histories until one is violated. RUNS at most
// each (20000), SEED first (1), WORKERS guards at once (1), GUARD only those whose name contains it, RARE=no without
// those that it takes very many histories to miss, RARE=only these. Exit code 1 when another guard can be taken out
// unnoticed.
import pLimit from 'p-limit';
import type { Guard } from './mutations/guard.ts';
import { cloudGuards } from './mutations/guards-of-clouds.ts';
import { diskGuards } from './mutations/guards-of-disks.ts';
import { fencingGuards } from './mutations/guards-of-fencing.ts';
import { ns4Guards } from './mutations/guards-of-ns4.ts';
import { blocklistGuards } from './mutations/guards-of-the-blocklist.ts';
import { monitorGuards } from './mutations/guards-of-the-monitor.ts';
import { bundleWorker } from './run/bundle.ts';
import { runHistories } from './run/crew.ts';
import { wholeNumber } from './run/environment.ts';
import { firstViolation, type Totals } from './run/totals.ts';

const from = wholeNumber('SEED', 1);
const most = wholeNumber('RUNS', 20_000);
const limit = pLimit(wholeNumber('WORKERS', 1));
const only = process.env.GUARD ?? '';
const rare = process.env.RARE ?? 'too';
const print = (text: string) => process.stdout.write(`${text}\n`);

const guards = [
  ...ns4Guards,
  ...fencingGuards,
  ...monitorGuards,
  ...cloudGuards,
  ...diskGuards,
  ...blocklistGuards,
].filter(({ name, isRare }) => name.includes(only) && (isRare ? rare !== 'no' : rare !== 'only'));
print('| guard taken out | it sees to it that | runs survived | violated |');
print('| --- | --- | ---: | --- |');
const survived = await Promise.all(guards.map((guard) => limit(() => survives(guard))));
const unnoticed = survived.filter((survives) => survives).length;
print(
  unnoticed === 0
    ? `\nnone of the demanded guards can be taken out unnoticed`
    : `\n${unnoticed} guards can be taken out unnoticed`,
);
process.exitCode = unnoticed === 0 ? 0 : 1;

async function survives({ name, duty, edits, isRare, focus }: Guard): Promise<boolean> {
  const first = await noticed(edits, focus);
  const runs = first === null ? `**all ${most}**` : String(first.seed - from);
  print(`| ${name} | ${duty} | ${runs}${focus === null ? '' : ` of "${focus}"`} | ${first?.rule ?? '-'} |`);
  return first === null && !isRare;
}

/** The first history that is violated without these texts; a crash counts as well. */
async function noticed(
  edits: Guard['edits'],
  focus: Guard['focus'],
): Promise<{ seed: number; rule: string } | null> {
  const bundle = await bundleWorker(edits);
  let runs = 0;
  const onProgress = (totals: Totals) => {
    runs = totals.runs;
  };
  try {
    const task = { ...{ from, runs: most, workers: 1, focus, bundle }, untilViolated: true, onProgress };
    return firstViolation(await runHistories(task));
  } catch (error) {
    return { seed: from + runs, rule: error instanceof Error ? error.message : String(error) };
  }
}
