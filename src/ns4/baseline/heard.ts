// What this vantage point heard, in Redis: each address with the time of its last answer, by this machine's clock.
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';

/** A vantage point that is gone for longer begins anew. */
const lifeMs = 7 * 86_400_000;
/** An address that left the inventory is kept this long: a list of servers may have been short for a while. */
const lingerMs = 3_600_000;
/** A field that no address has: it tells of a Redis that lost what was stored. */
const begun = '';
/** Fields in one command. */
const perCommand = 1_000;
/** Commands that look for what is old, each time. */
const mostPrunes = 1_000;

export class HeardStore {
  readonly #redis: Db;
  readonly #key: string;

  /** `vantagePoint` as `[SCAN] name` has it. */
  constructor(redis: Db, keys: Pick<Keys, 'heard'>, vantagePoint: string) {
    this.#redis = redis;
    this.#key = keys.heard(vantagePoint);
  }

  /** These addresses answered at `atMs`. Rejects as every command of a Db does. */
  async note(addresses: readonly string[], atMs: number): Promise<void> {
    for (const piece of inPieces(addresses)) {
      const fields = piece.flatMap((address) => [address, atMs]);
      await this.#redis
        .multi()
        .hset(this.#key, ...fields)
        .pexpire(this.#key, lifeMs)
        .exec();
    }
  }

  /** When each of these answered last; one that never did is not in it. */
  async lastHeard(addresses: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const heard = new Map<string, number>();
    for (const piece of inPieces(addresses)) {
      const times = await this.#redis.hmget(this.#key, ...piece);
      for (const [i, time] of times.entries()) if (time !== null) heard.set(piece[i] as string, Number(time));
    }
    return heard;
  }

  /** True for the first who asks since there is nothing stored: nothing was ever heard, or Redis lost it. */
  async beginsAnew(): Promise<boolean> {
    const replies = await this.#redis.multi().hsetnx(this.#key, begun, 1).exec();
    return replies?.[0]?.[1] === 1;
  }

  /** Forgets the addresses that are not wanted any more and were last heard more than an hour ago. */
  async prune(isWanted: (address: string) => boolean, nowMs: number): Promise<void> {
    let cursor = '0';
    let scans = 0;
    do {
      scans += 1;
      const [next, fields] = await this.#redis.hscan(this.#key, cursor, 'COUNT', perCommand);
      const old: string[] = [];
      for (let i = 0; i + 1 < fields.length; i += 2) {
        const [address, time] = [fields[i] as string, Number(fields[i + 1])];
        if (address !== begun && !isWanted(address) && nowMs - time > lingerMs) old.push(address);
      }
      if (old.length > 0)
        await this.#redis
          .multi()
          .hdel(this.#key, ...old)
          .exec();
      cursor = next;
    } while (cursor !== '0' && scans < mostPrunes);
  }
}

function inPieces<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / perCommand) }, (_, i) =>
    all.slice(i * perCommand, (i + 1) * perCommand),
  );
}
