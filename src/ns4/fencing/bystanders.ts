// Who else answered when a host was told `off`, in Redis beside the shots: whoever of them is silent afterwards may be
// the machine that the device really switches. Then no device of that host counts until an operator says so.
import { z } from 'zod';
import { errorText, OperationalError } from '../../shared/ground/errors.ts';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const watchSchema = z.object({
  incident: z.string(),
  /** When the others were asked, right before the first `off`. */
  atMs: z.number(),
  /** Hosts that answered then. */
  heard: z.array(z.string()),
  /** All of them answered after it as well, and it proved nothing: the device may still obey, late. */
  isLooked: z.boolean().default(false),
  /** Who of them was silent afterwards, as was found then; null: nobody, or it was not looked yet. */
  fell: z.object({ atMs: z.number(), hosts: z.array(z.string()).min(1) }).nullable(),
});
/** What is known of the others at the shots of one host. */
export type BystanderWatch = z.infer<typeof watchSchema>;
export type Fallen = NonNullable<BystanderWatch['fell']>;

/** An incident may last. What an operator has to decide on waits for him without a limit. */
const keepSeconds = 7 * 86_400;

/** The port: the simulation keeps them in memory. */
export interface Bystanders {
  /** Null: nobody has to be looked after for a shot at the host, and its devices are not in doubt. */
  of(host: string): Promise<BystanderWatch | null>;
  keep(host: string, watch: BystanderWatch): Promise<void>;
  /** Nobody fell silent at the shot behind a proof, or an operator said so: its devices count. */
  forget(host: string): Promise<void>;
}

/** What Redis holds makes no sense: the devices of the host may be in doubt, until an operator says otherwise. */
export class UnreadableBystandersError extends OperationalError {}

export class RedisBystanders implements Bystanders {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'fenceBystanders'>;

  constructor(redis: Db, keys: Pick<Keys, 'fenceBystanders'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @throws UnreadableBystandersError */
  async of(host: string): Promise<BystanderWatch | null> {
    const key = this.#keys.fenceBystanders(host);
    const text = await this.#redis.get(key);
    if (text === null) return null;
    try {
      return watchSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new UnreadableBystandersError(`${key} in Redis cannot be read: ${errorText(error)}`);
    }
  }

  async keep(host: string, watch: BystanderWatch): Promise<void> {
    const key = this.#keys.fenceBystanders(host);
    const text = JSON.stringify(watch);
    await (watch.fell === null ? this.#redis.set(key, text, 'EX', keepSeconds) : this.#redis.set(key, text));
  }

  async forget(host: string): Promise<void> {
    await this.#redis.del(this.#keys.fenceBystanders(host));
  }
}
