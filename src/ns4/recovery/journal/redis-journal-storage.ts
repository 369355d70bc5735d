// Locks and journals in Redis. Each change is a script that asks in the same step who holds the lock
// and whether the monitor's assignments agree.
import type { Redis } from 'ioredis';
import type { Keys } from '../../../shared/redis/keys.ts';
import type { Answer, JournalStorage, LockToken, StoredJournal } from './journal-storage.ts';

/**
 * KEYS 1, 2: lock, assignments. ARGV 1 to 4: our token, our incident, our job's id ('' by hand: none is needed), the
 * epoch of our order. `judgeAssignment` in documents/assignments.ts says the same in TypeScript.
 */
const granted = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'not-locked' end
if ARGV[3] ~= '' then
  local text = redis.call('GET', KEYS[2])
  if not text then return 'unknown' end
  local assignments = cjson.decode(text)
  if tonumber(ARGV[4]) > assignments.epoch then return 'unknown' end
  if assignments.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
end`;
const saveScript = `${granted}
redis.call('SET', KEYS[3], ARGV[5])
redis.call('SET', KEYS[4], ARGV[6])
return 'granted'`;
const endScript = `${granted}
redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[6])
redis.call('DEL', KEYS[4], KEYS[1])
return 'granted'`;
const renewScript = `${granted}
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'granted'`;
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

  async takeLock(host: string, token: string, forMs: number): Promise<boolean> {
    return (await this.#redis.set(this.#keys.incidentOwner(host), token, 'PX', forMs, 'NX')) === 'OK';
  }

  async renewLock(lock: LockToken, forMs: number): Promise<Answer> {
    return (await this.#redis.eval(renewScript, 2, ...this.#who(lock), ...shown(lock), forMs)) as Answer;
  }

  async releaseLock(host: string, token: string): Promise<void> {
    await this.#redis.eval(releaseScript, 1, this.#keys.incidentOwner(host), token);
  }

  async save(lock: LockToken, { id, text }: StoredJournal): Promise<Answer> {
    const keys = [...this.#who(lock), ...this.#what(lock.host, id)];
    return (await this.#redis.eval(saveScript, 4, ...keys, ...shown(lock), text, id)) as Answer;
  }

  async end(lock: LockToken, { id, text }: StoredJournal, keepSeconds: number): Promise<Answer> {
    const keys = [...this.#who(lock), ...this.#what(lock.host, id)];
    return (await this.#redis.eval(endScript, 4, ...keys, ...shown(lock), text, keepSeconds)) as Answer;
  }

  async putBack(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    const keys = [this.#keys.incidentOwner(host), ...this.#what(host, id)];
    return (await this.#redis.eval(putBackScript, 3, ...keys, token, text, id)) === 1;
  }

  async openJournal(host: string): Promise<string | null> {
    return this.#redis.get(this.#keys.openIncident(host));
  }

  async journal(id: string): Promise<string | null> {
    return this.#redis.get(this.#keys.incident(id));
  }

  #who({ host }: LockToken): [string, string] {
    return [this.#keys.incidentOwner(host), this.#keys.assignments];
  }

  #what(host: string, id: string): [string, string] {
    return [this.#keys.incident(id), this.#keys.openIncident(host)];
  }
}

/** What the scripts ask for: the first of their arguments. */
const shown = ({ token, assignment }: LockToken): [string, string, string, number] => [
  token,
  assignment?.incident ?? '',
  assignment?.jobId ?? '',
  assignment?.epoch ?? 0,
];
