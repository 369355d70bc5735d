// A process that runs histories: bundled and started by crew.ts, told the seeds in batches, answers with their totals; or
// with the story of one.
import { runHistory } from '../run-history.ts';
import { tell } from './story.ts';
import { addOutcome, nothingYet, type Totals } from './totals.ts';

/**
 * Seeds from `from` on, `runs` of them, of one focus or of none; `untilViolated`: no further than the first violation.
 */
export interface Batch {
  readonly from: number;
  readonly runs: number;
  readonly focus: string | null;
  readonly untilViolated: boolean;
}

/** The one whose story is wanted. */
export interface Told {
  readonly seed: number;
  readonly focus: string | null;
}

process.on('message', async (task: Batch | Told) =>
  process.send?.('seed' in task ? await tell(task.seed, task.focus) : await totalsOf(task)),
);
process.on('disconnect', () => process.exit(0));

async function totalsOf({ from, runs, focus, untilViolated }: Batch): Promise<Totals> {
  const totals = nothingYet();
  for (let seed = from; seed < from + runs; seed += 1) {
    const outcome = await runHistory(seed, focus);
    addOutcome(totals, outcome);
    if (untilViolated && outcome.violation !== null) break;
  }
  return totals;
}
