// When an operator's word that a host is off counts: not from the future, not older than an hour, and not once the host
// was heard since.
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Confirmation, OperatorConfirmations } from './operator-confirmations.ts';
import { isOfTheFuture, wordMs } from './proof.ts';

/** An operator's word that a host is off. Null: there is none, or it does not count, as it was heard since. */
export async function usableConfirmation(
  host: string,
  heardAtMs: number | null,
  {
    confirmations,
    clock,
    log,
  }: {
    readonly confirmations: Pick<OperatorConfirmations, 'of'>;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<Confirmation | null> {
  const confirmation = await confirmations.of(host);
  if (confirmation === null) return null;
  const { who, atMs } = confirmation;
  const nowMs = clock.nowMs();
  const isAfterLife = heardAtMs === null || heardAtMs < atMs;
  // One of the future is of another clock: nobody could say which heartbeats came after it.
  const why = isOfTheFuture(atMs, nowMs)
    ? 'it is of the future, do the clocks differ?'
    : nowMs - atMs > wordMs
      ? 'it is older than an hour'
      : isAfterLife
        ? null
        : 'a sign of life came after it';
  if (why === null) return confirmation;
  log.warn(`the word of ${who} that ${host} is off does not count: ${why}`);
  return null;
}
