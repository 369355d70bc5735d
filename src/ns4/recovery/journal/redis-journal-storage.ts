// Locks and journals in Redis. Each change is a script that asks in the same step who holds the locks
// and whether the monitor's assignments agree.
import type { Redis } from 'ioredis';
import type { Keys } from '../../../shared/redis/keys.ts';
import {
  type Answer,
  type JournalStorage,
  type LockToken,
  lockedHosts,
  type StoredJournal,
} from './journal-storage.ts';

/**
 * KEYS 1, 2, 3: assignments, journal, open journal; then the locks. ARGV 1 to 4: our token, our recovery, our job's id
 * ('' by hand: none is needed), the epoch of our order. `judgeAssignment` in documents/assignments.ts says the same in
 * TypeScript.
 */
const granted = `
for i = 4, #KEYS do
  if redis.call('GET', KEYS[i]) ~= ARGV[1] then return 'not-locked' end
end
if ARGV[3] ~= '' then
  local text = redis.call('GET', KEYS[1])
  if not text then return 'unknown' end
  local assignments = cjson.decode(text)
  if tonumber(ARGV[4]) > assignments.epoch then return 'unknown' end
  if assignments.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
end`;
const saveScript = `${granted}
redis.call('SET', KEYS[2], ARGV[5])
redis.call('SET', KEYS[3], ARGV[6])
return 'granted'`;
const endScript = `${granted}
redis.call('SET', KEYS[2], ARGV[5], 'EX', ARGV[6])
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end
return 'granted'`;
const renewScript = `${granted}
for i = 4, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return 'granted'`;
/** KEYS: the locks. ARGV: our token, for how long. The number of the first one that somebody has; 0: all are ours. */
const takeScript = `
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return i end
end
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 0`;
const putBackScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then
  redis.call('SET', KEYS[2], ARGV[2])
  redis.call('SET', KEYS[3], ARGV[3])
end
return 1`;
const releaseScript = `
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('DEL', KEYS[i]) end
end
return 0`;

export class RedisJournalStorage implements JournalStorage {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async takeLocks(hosts: readonly string[], token: string, forMs: number): Promise<string | null> {
    const keys = this.#locks(hosts);
    const first = Number(await this.#redis.eval(takeScript, keys.length, ...keys, token, forMs));
    return first === 0 ? null : (hosts[first - 1] ?? null);
  }

  async renewLocks(lock: LockToken, forMs: number): Promise<Answer> {
    return this.#ifGranted(renewScript, lock, lock.assignment?.recovery ?? '', [forMs]);
  }

  async releaseLocks(hosts: readonly string[], token: string): Promise<void> {
    const keys = this.#locks(hosts);
    await this.#redis.eval(releaseScript, keys.length, ...keys, token);
  }

  async save(lock: LockToken, { id, text }: StoredJournal): Promise<Answer> {
    return this.#ifGranted(saveScript, lock, id, [text, id]);
  }

  async end(lock: LockToken, { id, text }: StoredJournal, keepSeconds: number): Promise<Answer> {
    return this.#ifGranted(endScript, lock, id, [text, keepSeconds]);
  }

  async putBack(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    const { lock, journal, openJournal } = this.#keys;
    const keys = [lock(host), journal(id), openJournal(host)];
    return (await this.#redis.eval(putBackScript, 3, ...keys, token, text, id)) === 1;
  }

  async openJournal(host: string): Promise<string | null> {
    return this.#redis.get(this.#keys.openJournal(host));
  }

  async journal(id: string): Promise<string | null> {
    return this.#redis.get(this.#keys.journal(id));
  }

  async #ifGranted(
    script: string,
    lock: LockToken,
    journalId: string,
    values: (string | number)[],
  ): Promise<Answer> {
    const { assignments, journal, openJournal } = this.#keys;
    const keys = [assignments, journal(journalId), openJournal(lock.host), ...this.#locks(lockedHosts(lock))];
    const { token, assignment } = lock;
    const shown = [token, assignment?.recovery ?? '', assignment?.jobId ?? '', assignment?.epoch ?? 0];
    return (await this.#redis.eval(script, keys.length, ...keys, ...shown, ...values)) as Answer;
  }

  #locks(hosts: readonly string[]): string[] {
    return hosts.map((host) => this.#keys.lock(host));
  }
}
