// `--check`: every service a process needs is reached once, and what was found is printed, a line each.
import { errorText, OperationalError, UsageError } from '../ground/errors.ts';
import { type Connection, safetyText, safetyWarning } from './connection-safety.ts';

export interface Check {
  readonly what: string;
  /** Earlier checks without which this one is not worth a try. */
  readonly needs?: string | readonly string[];
  /** What was found, as one line, or with remarks; throws what is wrong. */
  run(): Promise<string | Remarked>;
}

/** Found, and it works; but an operator should know these things, a line each. */
export interface Remarked {
  readonly found: string;
  readonly warnings: readonly string[];
}

/** The safety of connections, as a check. */
export const connectionsCheck = (connections: () => Promise<readonly Connection[]>): Check => ({
  what: 'connections',
  run: async () => {
    const all = await connections();
    return {
      found: all.map(safetyText).join('; '),
      warnings: all.map(safetyWarning).filter((warning) => warning !== null),
    };
  },
});

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
      if ([needs ?? []].flat().some((needed) => failed.includes(needed) || left.includes(needed))) {
        left.push(what);
        continue;
      }
      try {
        const result = await run();
        const { found, warnings } = typeof result === 'string' ? { found: result, warnings: [] } : result;
        print(`ok      ${what}: ${found}`);
        for (const warning of warnings) print(`WARNING ${what}: ${warning}`);
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
