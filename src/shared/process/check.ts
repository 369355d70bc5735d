// `--check`: every service a process needs is reached once, and what was found is printed, a line each.
import { errorText, OperationalError, UsageError } from '../ground/errors.ts';

export interface Check {
  readonly what: string;
  /** An earlier check without which this one is not worth a try. */
  readonly needs?: string;
  /** What was found, as one line; throws what is wrong. */
  run(): Promise<string>;
}

/** Checks that only what was found before tells; does not throw. */
export type MoreChecks = () => Promise<readonly Check[]>;

/**
 * Runs all checks, one after another, failures included, except those that need one that failed. 0 when all went well;
 * throws OperationalError with the names of those that did not.
 */
export async function runChecks(
  checks: readonly (Check | MoreChecks)[],
  print: (line: string) => void,
): Promise<0> {
  const failed: string[] = [];
  const left: string[] = [];
  for (const entry of checks)
    for (const { what, needs, run } of typeof entry === 'function' ? await entry() : [entry]) {
      if (needs !== undefined && failed.includes(needs)) {
        left.push(what);
        continue;
      }
      try {
        print(`ok      ${what}: ${await run()}`);
      } catch (error) {
        if (error instanceof UsageError) throw error;
        failed.push(what);
        print(`FAILED  ${what}: ${errorText(error)}`);
      }
    }
  if (failed.length === 0) return 0;
  const notTried = left.length === 0 ? '' : `; not looked at without it: ${left.join(', ')}`;
  throw new OperationalError(`failed: ${failed.join(', ')}${notTried}`);
}
