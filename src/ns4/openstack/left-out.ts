// Records of OpenStack that made no sense and were left out, so that one of them does not stop the rest: which, and why,
// as of the latest look at each list.
import type { z } from 'zod';
import type { LeftOutOfList } from '../../shared/documents/terms/left-out.ts';
import { plainLine, quoted } from '../../shared/ground/plain.ts';

const mostNamed = 3;

interface Odd {
  readonly raw: unknown;
  readonly error: z.ZodError;
}

export class LeftOut {
  readonly #byList = new Map<string, LeftOutOfList>();

  /** What was found odd in this list now; none: all of it makes sense (again). */
  note(list: string, of: number, odd: readonly Odd[]): void {
    this.#byList.delete(list);
    if (odd.length === 0) return;
    const some = odd.slice(0, mostNamed).map(oddText).join('; ');
    const more = odd.length > mostNamed ? ` and ${odd.length - mostNamed} more` : '';
    this.#byList.set(list, { list, count: odd.length, of, some: `${some}${more}` });
  }

  /** The lists with such records, sorted by their names. */
  lists(): LeftOutOfList[] {
    return [...this.#byList.values()].sort((a, b) => (a.list < b.list ? -1 : 1));
  }
}

/** Where in the record, and what is wrong there: "[2].name: …". */
export function issueText(error: z.ZodError, root = ''): string {
  let [issue] = error.issues;
  const path = [...(issue?.path ?? [])];
  // Of several shapes the last one is the usual one; the others are exceptions.
  while (issue?.code === 'invalid_union') {
    const [inner] = issue.errors.at(-1) ?? [];
    if (inner === undefined) break;
    path.push(...inner.path);
    issue = inner;
  }
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  const where = `${root}${steps.join('')}`.replace(/^\./, '');
  return `${where === '' ? '' : `${where}: `}${plainLine((issue?.message ?? 'nonsense').slice(0, 200))}`;
}

function oddText({ raw, error }: Odd): string {
  const { id, host } = (typeof raw === 'object' && raw !== null ? raw : {}) as {
    id?: unknown;
    host?: unknown;
  };
  const named = [host, id].filter((one) => typeof one === 'string' || typeof one === 'number').map(String);
  return `${named.map((one) => quoted(one)).join(' ') || 'one without an id'} (${issueText(error)})`;
}
