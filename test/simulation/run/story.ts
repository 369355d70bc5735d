// One history as a story: what truly happened, and what Sonny said, in the operator's words.
import { type Outcome, runHistory } from '../run-history.ts';

export interface Story {
  readonly text: string;
  readonly outcome: Outcome;
}

export async function tell(seed: number, focus: string | null = null): Promise<Story> {
  const lines: string[] = [];
  const outcome = await runHistory(seed, focus, (atMs, who, text) =>
    lines.push(
      `${(atMs / 1_000).toFixed(1).padStart(7)} s  ${who === 'sonny' ? 'Sonny:' : '      '} ${text}`,
    ),
  );
  const { violation } = outcome;
  lines.push(violation === null ? 'Nothing was violated.' : `VIOLATED: ${violation.text}`);
  return { text: lines.join('\n'), outcome };
}

export const replay = (seed: number, focus: string | null = null): string =>
  `${process.env.ALL === 'yes' ? 'ALL=yes ' : ''}${focus === null ? '' : `FOCUS='${focus}' `}SEED=${seed} RUNS=1 npm run simulate`;
