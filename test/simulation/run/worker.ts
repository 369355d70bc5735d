// A process that runs histories: bundled and started by crew.ts, told the seeds in batches, answers with their totals.
import { runHistory } from '../run-history.ts';
import { addOutcome, nothingYet } from './totals.ts';

/**
 * Seeds from `from` on, `runs` of them, of one focus or of none; `untilViolated`: no further than the first violation.
 */
export interface Batch {
  readonly from: number;
  readonly runs: number;
  readonly focus: string | null;
  readonly untilViolated: boolean;
}

process.on('message', async ({ from, runs, focus, untilViolated }: Batch) => {
  const totals = nothingYet();
  for (let seed = from; seed < from + runs; seed += 1) {
    const outcome = await runHistory(seed, focus);
    addOutcome(totals, outcome);
    if (untilViolated && outcome.violation !== null) break;
  }
  process.send?.(totals);
});
process.on('disconnect', () => process.exit(0));
