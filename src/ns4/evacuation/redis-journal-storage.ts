// Claims and journals in Redis. Each change is a script that asks who owns the claim in the same step.
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/keys.ts';
import type { JournalStorage, StoredJournal } from './journal.ts';

const saveScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[3])
return 1`;
const endScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('DEL', KEYS[3], KEYS[1])
return 1`;
const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const putBackScript = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then
  redis.call('SET', KEYS[2], ARGV[2])
  redis.call('SET', KEYS[3], ARGV[3])
end
return 1`;
const releaseScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

export class RedisJournalStorage implements JournalStorage {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async takeClaim(host: string, token: string, forMs: number): Promise<boolean> {
    return (await this.#redis.set(this.#keys.incidentOwner(host), token, 'PX', forMs, 'NX')) === 'OK';
  }

  async renewClaim(host: string, token: string, forMs: number): Promise<boolean> {
    return (await this.#redis.eval(renewScript, 1, this.#keys.incidentOwner(host), token, forMs)) === 1;
  }

  async releaseClaim(host: string, token: string): Promise<void> {
    await this.#redis.eval(releaseScript, 1, this.#keys.incidentOwner(host), token);
  }

  async save(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    return (await this.#redis.eval(saveScript, 3, ...this.#names(host, id), token, text, id)) === 1;
  }

  async end(host: string, token: string, { id, text }: StoredJournal, keepSeconds: number): Promise<boolean> {
    return (await this.#redis.eval(endScript, 3, ...this.#names(host, id), token, text, keepSeconds)) === 1;
  }

  async putBack(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    return (await this.#redis.eval(putBackScript, 3, ...this.#names(host, id), token, text, id)) === 1;
  }

  async openIncident(host: string): Promise<string | null> {
    return this.#redis.get(this.#keys.openIncident(host));
  }

  async journal(id: string): Promise<string | null> {
    return this.#redis.get(this.#keys.incident(id));
  }

  /** Owner, journal, open incident: the order of all scripts. */
  #names(host: string, id: string): [string, string, string] {
    return [this.#keys.incidentOwner(host), this.#keys.incident(id), this.#keys.openIncident(host)];
  }
}
