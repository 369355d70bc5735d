// What disks answered while all was well, in Redis: per instance when, where and from which address; and per host the
// addresses from which it opens disks.
import { z } from 'zod';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { forgottenAfterMs, type SeenAddress } from './address-book.ts';

const answeredSchema = z.object({
  /** Service host that Nova had it on. */
  host: z.string(),
  /** By the clock of the ns4 that asked, ms since the epoch. */
  atMs: z.number(),
  /** `POOL/NAME` of those that have openers. */
  images: z.array(z.string()),
});
export type Answered = z.infer<typeof answeredSchema>;

/** A Redis in which nobody asks any more forgets it all. */
const lifeMs = forgottenAfterMs;
const perCommand = 500;
/** Commands that look for what is gone, each time. */
const mostPrunes = 1_000;
/** Commands in search of instances on other hosts. */
const mostScans = 20;

export class OpenedStore {
  readonly #redis: Db;
  readonly #keys: Pick<Keys, 'opened' | 'storageAddresses'>;

  constructor(redis: Db, keys: Pick<Keys, 'opened' | 'storageAddresses'>) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Notes whose disks answered. Rejects as every command of a Db does. */
  async note(answered: ReadonlyMap<string, Answered>): Promise<void> {
    const all = [...answered];
    for (let from = 0; from < all.length; from += perCommand) {
      const fields = all.slice(from, from + perCommand).flatMap(([id, one]) => [id, JSON.stringify(one)]);
      await this.#redis
        .multi()
        .hset(this.#keys.opened, ...fields)
        .pexpire(this.#keys.opened, lifeMs)
        .exec();
    }
  }

  /** What is known of these instances. */
  async of(ids: readonly string[]): Promise<ReadonlyMap<string, Answered>> {
    const known = new Map<string, Answered>();
    for (let from = 0; from < ids.length; from += perCommand) {
      const piece = ids.slice(from, from + perCommand);
      const texts = await this.#redis.hmget(this.#keys.opened, ...piece);
      for (const [i, text] of texts.entries()) {
        const answered = parsed(text);
        if (answered !== null) known.set(piece[i] as string, answered);
      }
    }
    return known;
  }

  /** Up to `most` instances on other hosts than these that answered since `sinceMs`. */
  async elsewhere(hosts: ReadonlySet<string>, sinceMs: number, most: number): Promise<Answered[]> {
    const found: Answered[] = [];
    let cursor = '0';
    for (let scans = 0; scans < mostScans && found.length < most; scans += 1) {
      const [next, fields] = await this.#redis.hscan(this.#keys.opened, cursor, 'COUNT', perCommand);
      for (let i = 1; i < fields.length; i += 2) {
        const answered = parsed(fields[i] ?? null);
        if (answered !== null && answered.atMs >= sinceMs && !hosts.has(answered.host)) found.push(answered);
      }
      if (next === '0') break;
      cursor = next;
    }
    return found.slice(0, most);
  }

  /** Forgets instances that are not in the inventory any more. */
  async prune(isWanted: (id: string) => boolean): Promise<void> {
    let cursor = '0';
    let scans = 0;
    do {
      scans += 1;
      const [next, fields] = await this.#redis.hscan(this.#keys.opened, cursor, 'COUNT', perCommand);
      const gone = fields.filter((id, i) => i % 2 === 0 && !isWanted(id));
      if (gone.length > 0)
        await this.#redis
          .multi()
          .hdel(this.#keys.opened, ...gone)
          .exec();
      cursor = next;
    } while (cursor !== '0' && scans < mostPrunes);
  }

  /** Notes from which addresses hosts were seen to open disks, at `atMs`. */
  async learn(
    seen: readonly { readonly host: string; readonly address: string }[],
    atMs: number,
  ): Promise<void> {
    if (seen.length === 0) return;
    const known = new Map((await this.addresses()).map((one) => [fieldOf(one), one]));
    const fields = seen.flatMap((one) => {
      const field = fieldOf(one);
      return [field, `${known.get(field)?.firstMs ?? atMs} ${atMs}`];
    });
    await this.#redis
      .multi()
      .hset(this.#keys.storageAddresses, ...fields)
      .pexpire(this.#keys.storageAddresses, lifeMs)
      .exec();
    const old = [...known]
      .filter(([, { lastMs }]) => atMs - lastMs > forgottenAfterMs)
      .map(([field]) => field);
    if (old.length > 0)
      await this.#redis
        .multi()
        .hdel(this.#keys.storageAddresses, ...old)
        .exec();
  }

  /** Every address of every host that was seen. */
  async addresses(): Promise<SeenAddress[]> {
    const all = await this.#redis.hgetall(this.#keys.storageAddresses);
    return Object.entries(all).flatMap(([field, times]) => {
      const [address = '', ...host] = field.split(' ');
      const [firstMs, lastMs] = times.split(' ').map(Number);
      const isGood = host.length > 0 && Number.isFinite(firstMs) && Number.isFinite(lastMs);
      return isGood
        ? [{ host: host.join(' '), address, firstMs: firstMs as number, lastMs: lastMs as number }]
        : [];
    });
  }
}

const fieldOf = ({ host, address }: { readonly host: string; readonly address: string }): string =>
  `${address} ${host}`;

/** One odd entry is as good as none. */
function parsed(text: string | null): Answered | null {
  if (text === null) return null;
  try {
    return answeredSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
