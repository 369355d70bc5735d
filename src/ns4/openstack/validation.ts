// What services answer is checked before it is believed: the one place where nonsense becomes an error that says where.
import { z } from 'zod';
import { mostOfWords, plainLine, quoted } from '../../shared/ground/plain.ts';
import { CloudError } from '../cloud/cloud.ts';

/**
 * A point in time as Nova ("2026-11-21T02:17:13.000000"), Neutron ("2026-11-21 02:17:15") and Keystone (with a Z) write
 * it, in ms since the epoch. Without a zone it is UTC, as all three mean it. Anything else is an error, never a guess:
 * a wrong heartbeat makes a host look dead, or alive.
 */
export const utcTime = z.string().transform((text, context) => {
  const ms = parseUtc(text);
  if (ms === null) {
    context.addIssue({ code: 'custom', message: `no readable time: ${quoted(text, 40)}` });
    return z.NEVER;
  }
  return ms;
});

/** With microseconds and a zone it has 32 letters. */
const longestTime = 64;
/** Names in an answer may be anything. */
const mostOfWhere = 200;
const timePattern = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-]\d{2}:?\d{2})?$/;

function parseUtc(text: string): number | null {
  if (text.length > longestTime) return null;
  const [, date, time, zone] = timePattern.exec(text.trim()) ?? [];
  if (date === undefined || time === undefined) return null;
  const ms = Date.parse(`${date}T${time}${zone ?? 'Z'}`);
  // Date.parse takes 31 February for the 3rd of March; we take it for nonsense.
  const sameDay = !Number.isNaN(ms) && new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
  return sameDay ? ms : null;
}

/**
 * The value in the shape of the schema.
 * @throws CloudError naming the call and the first field that is wrong: not-done for reads, and unknown for `change`,
 * whose request was taken.
 */
export function validated<T>(schema: z.ZodType<T>, value: unknown, what: string, change = false): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  const why =
    value === undefined
      ? 'it is no JSON'
      : plainLine(
          `${where?.slice(0, mostOfWhere).replace(/^\./, '') || 'body'}: ${issue?.message.slice(0, mostOfWords)}`,
        );
  throw new CloudError(change ? 'unknown' : 'not-done', `${what}: the answer makes no sense (${why})`, null);
}
