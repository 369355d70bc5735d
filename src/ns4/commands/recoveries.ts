// Is a host's recovery under way, and for a moment none may begin: for what an operator does by hand to a host that a
// recovery may rest on.
import type { Clock } from '../../shared/ground/clock.ts';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { readStatus } from '../../shared/redis/status.ts';
import type { Trust } from '../../shared/trust/trust.ts';
import { Journals } from '../recovery/journal/journals.ts';
import { RedisJournalStorage } from '../recovery/journal/redis-journal-storage.ts';

/** No recovery of the host, nor one onto it, begins before it is released. */
interface Hold {
  /** Aborted as soon as it is noticed that the hold is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** All reject without Redis. */
export interface Recoveries {
  /** Is a recovery of the host, or one onto it, under way? */
  isRecovering(host: string): Promise<boolean>;
  /**
   * Takes the lock that every worker takes before anything else, and waits for no longer than this: so it is to be
   * released within seconds. Null: a recovery is under way.
   */
  hold(host: string): Promise<Hold | null>;
}

export function recoveriesOf({
  redis,
  keys,
  trust,
  clock,
  signal,
}: {
  readonly redis: Db;
  readonly keys: Keys;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Recoveries {
  const journals = new Journals(new RedisJournalStorage(redis, keys, trust), clock, trust);
  /** The monitor wants it, whether or not anybody works at it now. */
  const isWanted = async (host: string) => {
    const status = await readStatus(redis, keys);
    if (status.kind !== 'found') return false;
    return status.status.incidents.some(
      ({ subject, recovery }) => subject.kind === 'host' && subject.name === host && recovery !== null,
    );
  };
  return {
    isRecovering: async (host) => (await redis.get(keys.lock(host))) !== null || (await isWanted(host)),
    async hold(host) {
      const lock = await journals.lock({ host, targets: [] }, 0, signal, null);
      if ('heldByOther' in lock) return null;
      let wanted = true;
      try {
        wanted = await isWanted(host);
      } finally {
        if (wanted) await lock.release();
      }
      return wanted ? null : lock;
    },
  };
}
