// Several processes that run histories side by side, and what they came to together; or one that tells the story of one.
import { type ChildProcess, fork } from 'node:child_process';
import { type Bundle, bundleWorker } from './bundle.ts';
import type { Story } from './story.ts';
import { addTotals, nothingYet, type Totals } from './totals.ts';
import type { Batch, Told } from './worker.ts';

export interface Task {
  readonly from: number;
  readonly runs: number;
  readonly workers: number;
  /** Name of what the histories are about; absent: of everything. */
  readonly focus?: string | null;
  /** Of the code to run; it is removed in the end. */
  readonly bundle?: Bundle;
  /** Ends at the first violation, give or take a batch. */
  readonly untilViolated?: boolean;
  /** Takes no further batch after so long. */
  readonly withinMs?: number;
  /** Told after every batch. */
  onProgress?(totals: Totals): void;
}

const batchRuns = 250;
/** A second is plenty, on a machine that has other things to do as well; an endless loop is a failure. */
const batchLimitMs = 120_000;
/** Histories leave much behind that is young and dead. */
const execArgv = ['--max-semi-space-size=64'];

export async function runHistories(task: Task): Promise<Totals> {
  const { from, runs, workers, untilViolated = false, focus = null } = task;
  const { bundle = await bundleWorker([]) } = task;
  const totals = nothingYet();
  const startedAtMs = Date.now();
  const untilSeed = from + runs;
  let nextSeed = from;
  const take = (): Batch | null => {
    const over = untilViolated && Object.keys(totals.violations).length > 0;
    const isLate = Date.now() - startedAtMs > (task.withinMs ?? Number.POSITIVE_INFINITY);
    if (over || isLate || nextSeed >= untilSeed) return null;
    const batch = { from: nextSeed, runs: Math.min(batchRuns, untilSeed - nextSeed), focus, untilViolated };
    nextSeed += batch.runs;
    return batch;
  };
  const work = async () => {
    const child = fork(bundle.path, { execArgv });
    try {
      for (let batch = take(); batch !== null; batch = take()) {
        addTotals(totals, await carriedOut<Totals>(child, batch, batch.from));
        task.onProgress?.(totals);
      }
    } finally {
      // Of one that hung and was killed only the seeds are to be told.
      if (child.connected) child.disconnect();
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    bundle.remove();
  }
  return totals;
}

/** The stories of these histories, told one after the other by a process of their own, from the code as it is. */
export async function toldBy(seeds: readonly number[], focus: string | null = null): Promise<Story[]> {
  const bundle = await bundleWorker([]);
  try {
    const child = fork(bundle.path, { execArgv });
    try {
      const stories: Story[] = [];
      for (const seed of seeds) stories.push(await carriedOut<Story>(child, { seed, focus }, seed));
      return stories;
    } finally {
      if (child.connected) child.disconnect();
    }
  } finally {
    bundle.remove();
  }
}

function carriedOut<T>(child: ChildProcess, task: Batch | Told, from: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const hung = setTimeout(() => child.kill('SIGKILL'), batchLimitMs);
    const onExit = () => {
      clearTimeout(hung);
      reject(new Error(`a worker crashed or hung with the seeds from ${from} on`));
    };
    child.once('exit', onExit);
    child.once('message', (answer: T) => {
      clearTimeout(hung);
      child.off('exit', onExit);
      resolve(answer);
    });
    child.send(task);
  });
}
