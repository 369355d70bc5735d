// Keys that somebody left as another type than ours: they hold nothing of ours, and keep what belongs there from being
// written. They are taken away; what was there is known anew, or is told to be missing.
import { errorText } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import type { Db } from './db.ts';

/** Takes away those of the keys that are something else than a hash. Does not throw: the next look does it, too. */
export async function keepHashes(redis: Db, keys: readonly string[], log: Log): Promise<void> {
  try {
    const looks = redis.multi();
    for (const key of keys) looks.type(key);
    const types = ((await looks.exec()) ?? []).map(([, type]) => type);
    for (const [i, key] of keys.entries()) {
      const type = types[i];
      if (typeof type !== 'string' || type === 'hash' || type === 'none') continue;
      await redis.del(key);
      log.error({ type }, `${key} in Redis was no hash: nobody of ours wrote it, and it was taken away`);
    }
  } catch (error) {
    log.warn(
      { error: errorText(error) },
      'it cannot be looked whether keys in Redis are what they should be',
    );
  }
}
