// What this vantage point heard, in Redis: a hash with a field for each address, "TIME" or "TIME INSTANCE" of its last
// answer (ms, by this machine's clock; whose address it was then), and a field "ADDRESS mute" with the time since which
// it does not answer any more although its host is well.
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { HeardAddress } from '../../shared/rules/senses/baseline.ts';

/** A vantage point that is gone for longer begins anew. */
const lifeMs = 7 * 86_400_000;
/** An address that left the inventory is kept this long: a list of servers may have been short for a while. */
const lingerMs = 3_600_000;
/** A field that no address has: it tells of a Redis that lost what was stored. */
const begun = '';
/** Addresses in one command. */
const perCommand = 1_000;
/** Commands that look for what is old, each time. */
const mostPrunes = 1_000;

const muteField = (address: string): string => `${address} mute`;

export class HeardStore {
  readonly #redis: Db;
  readonly #key: string;

  /** `vantagePoint` as `[SCAN] name` has it. */
  constructor(redis: Db, keys: Pick<Keys, 'heard'>, vantagePoint: string) {
    this.#redis = redis;
    this.#key = keys.heard(vantagePoint);
  }

  /**
   * These addresses answered at `atMs`, each with the id of the instance whose it is; null: no instance's, or not known.
   * Rejects as every command of a Db does.
   */
  async note(answered: ReadonlyMap<string, string | null>, atMs: number): Promise<void> {
    for (const piece of inPieces([...answered])) {
      const fields = piece.flatMap(([address, of]) => [address, of === null ? `${atMs}` : `${atMs} ${of}`]);
      await this.#redis
        .multi()
        .hset(this.#key, ...fields)
        .hdel(this.#key, ...piece.map(([address]) => muteField(address)))
        .pexpire(this.#key, lifeMs)
        .exec();
    }
  }

  /** These do not answer any more since that time although their hosts are well; so until they answer. */
  async noteMute(mute: ReadonlyMap<string, number>): Promise<void> {
    for (const piece of inPieces([...mute]))
      await this.#redis
        .multi()
        .hset(this.#key, ...piece.flatMap(([address, sinceMs]) => [muteField(address), sinceMs]))
        .exec();
  }

  /** The last answer of each of these; one that never answered is not in it. */
  async lastHeard(addresses: readonly string[]): Promise<ReadonlyMap<string, HeardAddress>> {
    const heard = new Map<string, HeardAddress>();
    for (const piece of inPieces(addresses)) {
      const [answers, mute] = await Promise.all([
        this.#redis.hmget(this.#key, ...piece),
        this.#redis.hmget(this.#key, ...piece.map(muteField)),
      ]);
      for (const [i, text] of answers.entries())
        if (text !== null) heard.set(piece[i] as string, { ...answerOf(text), isMute: mute[i] !== null });
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
        const [address, text] = [fields[i] as string, fields[i + 1] as string];
        if (address === begun || address.includes(' ') || isWanted(address)) continue;
        if (nowMs - answerOf(text).atMs > lingerMs) old.push(address, muteField(address));
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

/** "TIME INSTANCE"; "TIME" of who was nobody's, and of older versions. */
function answerOf(text: string): Pick<HeardAddress, 'atMs' | 'of'> {
  const [time, of = null] = text.split(' ');
  return { atMs: Number(time), of };
}

function inPieces<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / perCommand) }, (_, i) =>
    all.slice(i * perCommand, (i + 1) * perCommand),
  );
}
