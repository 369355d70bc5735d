// The inventory in Redis: two readable JSON documents, written together in one step and checked when read.
import { z } from 'zod';
import {
  type Hosts,
  hostsSchema,
  type Inventory,
  type Servers,
  serversSchema,
} from '../documents/inventory.ts';
import { OperationalError } from '../ground/errors.ts';
import type { Db } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';

export class InventoryStore {
  readonly #redis: Db;
  readonly #keys: Keys;

  constructor(redis: Db, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Replaces the hosts and, when given, the servers, in one transaction: no reader ever sees half a refresh. */
  async write(hosts: Hosts, servers: Servers | null): Promise<void> {
    const transaction = this.#redis.multi().set(this.#keys.hosts, JSON.stringify(hosts, null, 1));
    if (servers !== null) transaction.set(this.#keys.servers, JSON.stringify(servers, null, 1));
    const replies = await transaction.exec();
    const failed = replies?.find(([error]) => error !== null)?.[0];
    if (failed) throw failed;
  }

  /** Both halves as of one moment; null for what was never written. Throws OperationalError on a document of another shape. */
  async read(): Promise<Inventory> {
    const [hosts, servers] = await this.#redis.mget(this.#keys.hosts, this.#keys.servers);
    return {
      hosts: parse(hostsSchema, hosts, this.#keys.hosts),
      servers: parse(serversSchema, servers, this.#keys.servers),
    };
  }

  /** When the servers were last collected, without reading them all; null when never. */
  async serversCollectedAtMs(): Promise<number | null> {
    // The document begins {"version":1,"cloud":…,"collectedAtMs":…}: its head is enough, servers can be megabytes.
    const head = await this.#redis.getrange(this.#keys.servers, 0, 511);
    const found = /"collectedAtMs":\s*(\d+)/.exec(head)?.[1];
    return found === undefined ? null : Number(found);
  }
}

function parse<T>(schema: z.ZodType<T>, text: string | null | undefined, key: string): T | null {
  if (text === null || text === undefined) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new OperationalError(`${key} in Redis is not what this version writes: ${detail}`);
  }
}
