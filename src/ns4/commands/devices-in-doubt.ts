// Are the fence devices of a host in doubt, as another machine fell silent when one of them was told `off`? Then by hand,
// too, they are told nothing and believed nothing before an operator trusts them again.
import { answerWithin, type Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import { type Bystanders, UnreadableBystandersError } from '../fencing/bystanders.ts';
import type { Tried } from './try-out.ts';

/** `why`: for people. */
export type Doubt =
  | { readonly kind: 'none' }
  | { readonly kind: 'doubted'; readonly why: string }
  /** Redis does not tell. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Somebody waits at the terminal. */
const readLimitMs = 3_000;

/** Without Redis: unknown. */
export async function doubtIn(
  host: string,
  { bystanders, clock }: { readonly bystanders: Pick<Bystanders, 'of'>; readonly clock: Clock },
): Promise<Doubt> {
  try {
    const fell = await answerWithin(clock, readLimitMs, whoFell(bystanders, host));
    if (fell === null) return { kind: 'none' };
    const why = `${fell} fell silent when ${host} was told "off": no device of ${host} is told or believed before "ns4 --trust-devices ${host}"`;
    return { kind: 'doubted', why };
  } catch (error) {
    return {
      kind: 'unknown',
      why: `whether its devices are in doubt could not be read: ${errorText(error)}`,
    };
  }
}

/** For people; null: nobody did. Rejects without Redis. */
export async function whoFell(bystanders: Pick<Bystanders, 'of'>, host: string): Promise<string | null> {
  try {
    return (await bystanders.of(host))?.fell?.hosts.join(', ') ?? null;
  } catch (error) {
    if (!(error instanceof UnreadableBystandersError)) throw error;
    return 'another machine (what Redis holds of that makes no sense)';
  }
}

/** What a device in doubt said is shown, and counts for nothing. */
export const ifBelieved = (tried: Tried, doubt: Doubt): Tried =>
  doubt.kind === 'doubted' ? { well: false, text: `${tried.text}; not believed: ${doubt.why}` } : tried;
