// The inventory in Redis: `hosts` and `instances` are readable JSON, written in one step and checked when read; the
// servers are a hash by host under the name of their generation, which `instances` gives only once it is complete.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type Hosts,
  hostsSchema,
  type InstanceCounts,
  instanceCountsSchema,
  onNoHost,
  type Server,
  type Servers,
  serverSchema,
} from '../documents/inventory.ts';
import { OperationalError } from '../ground/errors.ts';
import type { Db, Transaction } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import { loadScript, runScript } from '../redis/script.ts';
import { countsOf, type Picture, serversByHost } from './picture.ts';
import {
  GenerationGoneError,
  type InventoryHead,
  type InventorySource,
  noServers,
  readPicture,
  readThrough,
  type ServersWanted,
} from './reading.ts';

/**
 * A generation that was replaced stays this long for whoever reads by the counts from before, and one whose writer died
 * half-way stays no longer. Each is as large as the list of all servers.
 */
const lingerMs = 120_000;
/** What is written with one command: enough for few round trips, too little to keep Redis from others. */
const bytesPerChunk = 500_000;

/** Both documents begin with when they were collected, or the generation. */
const versionBytes = 512;

const showScript = loadScript('show-inventory-4');
const listSchema = z.array(serverSchema);

export class InventoryStore {
  readonly #redis: Db;
  readonly #keys: Keys;
  readonly #source: InventorySource;
  readonly #hosts = new LastRead(hostsSchema);
  readonly #counts = new LastRead(instanceCountsSchema);

  constructor(redis: Db, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#source = {
      head: () => this.#readHead(),
      servers: (generation, hosts) => this.#readServers(generation, hosts),
    };
  }

  /** Replaces the hosts and, when given, the servers with their counts, in one step: no reader sees half a refresh. */
  async write(hosts: Hosts, servers: Servers | null): Promise<void> {
    const { hosts: hostsKey, oldServers } = this.#keys;
    const hostsText = JSON.stringify(hosts, null, 1);
    if (servers === null) return exec(this.#redis.multi().set(hostsKey, hostsText).del(oldServers));
    const listed = serversByHost(servers);
    const generation = `${servers.collectedAtMs}-${randomBytes(4).toString('hex')}`;
    const counts: InstanceCounts = {
      version: 1,
      cloud: hosts.cloud,
      generation,
      ...countsOf(servers, listed),
    };
    // Always there, so that a generation without any server is told from one that is gone.
    if (!listed.has(onNoHost)) listed.set(onNoHost, []);
    const serversKey = this.#keys.servers(generation);
    await this.#writeServers(serversKey, listed);
    const shown = await runScript(
      this.#redis,
      showScript,
      [hostsKey, this.#keys.instances, serversKey, oldServers],
      [hostsText, JSON.stringify(counts, null, 1), listed.size, this.#keys.servers(''), lingerMs],
    );
    if (shown !== 1) throw new OperationalError('Redis lost a part of the servers while they were written');
  }

  /**
   * The hosts, with the servers that `wants` asks for; null when nothing was ever written.
   * @throws OperationalError on a document of another shape, or when the servers are gone
   */
  read(wants: (picture: Picture) => ServersWanted = () => noServers): Promise<Picture | null> {
    return readPicture(this.#source, wants);
  }

  /** Shows every server once, a piece at a time; see reading.ts. */
  readThrough(begin: (picture: Picture) => (servers: readonly Server[]) => void): Promise<Picture | null> {
    return readThrough(this.#source, begin);
  }

  /** A text for each half that is another one after every write of it: cheap to ask for, whatever the size. */
  async versions(): Promise<{ readonly hosts: string; readonly servers: string }> {
    const { hosts, instances } = this.#keys;
    const [ofHosts, ofServers] = await Promise.all([
      this.#redis.getrange(hosts, 0, versionBytes - 1),
      this.#redis.getrange(instances, 0, versionBytes - 1),
    ]);
    return { hosts: ofHosts, servers: ofServers };
  }

  /** When the servers were last collected; null when never. */
  async serversCollectedAtMs(): Promise<number | null> {
    const { instances } = this.#keys;
    return this.#counts.parse(await this.#redis.get(instances), instances)?.collectedAtMs ?? null;
  }

  async #writeServers(key: string, listed: ReadonlyMap<string, readonly Server[]>): Promise<void> {
    let fields: string[] = [];
    let bytes = 0;
    const flush = async () => {
      if (fields.length > 0)
        await exec(
          this.#redis
            .multi()
            .hset(key, ...fields)
            .pexpire(key, lingerMs),
        );
      fields = [];
      bytes = 0;
    };
    for (const [host, servers] of listed) {
      const text = lines(servers);
      fields.push(host, text);
      bytes += text.length;
      if (bytes >= bytesPerChunk) await flush();
    }
    await flush();
  }

  async #readHead(): Promise<InventoryHead | null> {
    const { hosts: hostsKey, instances } = this.#keys;
    const [hostsText, countsText] = await this.#redis.mget(hostsKey, instances);
    const hosts = this.#hosts.parse(hostsText, hostsKey);
    return hosts && { hosts, counts: this.#counts.parse(countsText, instances) };
  }

  async #readServers(generation: string, hosts: readonly string[]): Promise<Map<string, Server[]>> {
    const key = this.#keys.servers(generation);
    const [marker, ...texts] = await this.#redis.hmget(key, onNoHost, ...hosts);
    if (marker === null) throw new GenerationGoneError(`${key} is gone from Redis`);
    return new Map(hosts.map((host, i) => [host, parse(listSchema, texts[i], `${host} in ${key}`) ?? []]));
  }
}

/**
 * A document with its text as it was read last: every outcome of a round asks for it, and it changes with a refresh
 * only. To check 10,000 hosts anew each time would take the monitor most of its round.
 */
class LastRead<T> {
  readonly #schema: z.ZodType<T>;
  #last: { readonly text: string; readonly document: T | null } | null = null;

  constructor(schema: z.ZodType<T>) {
    this.#schema = schema;
  }

  parse(text: string | null | undefined, key: string): T | null {
    if (text === null || text === undefined) return null;
    if (this.#last?.text !== text) this.#last = { text, document: parse(this.#schema, text, key) };
    return this.#last.document;
  }
}

/** A JSON list with one server a line. */
const lines = (servers: readonly Server[]): string =>
  `[${servers.map((server) => `\n${JSON.stringify(server)}`).join()}\n]`;

async function exec(transaction: Transaction): Promise<void> {
  const replies = await transaction.exec();
  const failed = replies?.find(([error]) => error !== null)?.[0];
  if (failed) throw failed;
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
