// What the senses say of hypervisors, as people read it and as programs do. Pure.
import type { Unjudged } from '../../shared/documents/jobs/survey-senses.ts';
import type { Reading, Says, Sense } from '../../shared/rules/senses/sense.ts';

export interface HostSenses {
  readonly host: string;
  /** What its senses of the control plane say together. */
  readonly heartbeat: Says;
  readonly readings: readonly { readonly sense: Sense; readonly reading: Reading }[];
  /** Why it could not be told dead if it died now; null: it could. */
  readonly tooFew: Unjudged | null;
}

const words: Readonly<Record<Says, string>> = { alive: 'alive', silent: 'SILENT', 'cannot-tell': '-' };

/** A line per host with a column per sense; below, or for one host alone, what each of them says in words. */
export function tableOf(rows: readonly HostSenses[], isWhole: boolean): string {
  const names = rows[0]?.readings.map(({ sense }) => sense.name) ?? [];
  const head = ['HYPERVISOR', ...names, 'could be told dead'];
  const body = rows.map(({ host, readings, tooFew }) => [
    host,
    ...readings.map(({ reading }) => words[reading.says]),
    tooFew === null ? 'yes' : 'NO',
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const told = rows.flatMap((row) => explained(row, isWhole));
  return [line(head), ...body.map(line), ...(told.length > 0 ? ['', ...told] : [])].join('\n');
}

/** Of one host what every sense says; of many only what is out of the ordinary. */
function explained({ host, readings, tooFew }: HostSenses, isWhole: boolean): string[] {
  const lines = readings
    .filter(({ reading }) => isWhole || reading.says === 'silent')
    .map(({ sense, reading }) => `${host}  ${sense.title}: ${reading.why}`);
  const help = readings
    .filter(({ reading }) => isWhole && reading.says === 'cannot-tell')
    .map(({ sense }) => `${host}  ${sense.title} would tell with ${sense.help}`);
  const short =
    tooFew === null ? [] : [`${host}  could not be told dead: ${tooFew.reason}; would help: ${tooFew.help}`];
  return [...lines, ...help, ...short];
}

/** One document; `atMs` is when it was asked. */
export function jsonOf(cloud: string, atMs: number, rows: readonly HostSenses[]): string {
  const hypervisors = rows.map(({ host, heartbeat, readings, tooFew }) => ({
    host,
    heartbeat,
    senses: readings.map(({ sense, reading }) => ({
      name: sense.name,
      kind: sense.kind,
      says: reading.says,
      why: reading.why,
      heardAtMs: reading.heardAtMs,
    })),
    tooFew: tooFew === null ? null : { reason: tooFew.reason, help: tooFew.help },
  }));
  return JSON.stringify({ cloud, atMs, hypervisors }, null, 2);
}
