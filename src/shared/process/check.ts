// `--check`: every service a process needs is reached once, and what was found is printed, a line each.
import { errorText, OperationalError, UsageError } from '../ground/errors.ts';
import type { ExitCode } from './frame.ts';

export interface Check {
  readonly what: string;
  /** What was found, as one line; throws what is wrong. */
  run(): Promise<string>;
}

/** Checks that only what was found before tells; does not throw. */
export type MoreChecks = () => Promise<readonly Check[]>;

/** Runs all checks, one after another, failures included; 1 when any failed. */
export async function runChecks(
  checks: readonly (Check | MoreChecks)[],
  print: (line: string) => void,
): Promise<ExitCode> {
  let code: ExitCode = 0;
  for (const entry of checks)
    for (const { what, run } of typeof entry === 'function' ? await entry() : [entry]) {
      try {
        print(`ok      ${what}: ${await run()}`);
      } catch (error) {
        if (error instanceof UsageError) throw error;
        code = 1;
        const text =
          error instanceof OperationalError || error instanceof Error ? errorText(error) : String(error);
        print(`FAILED  ${what}: ${text}`);
      }
    }
  return code;
}
