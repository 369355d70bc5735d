// Locks and journals in Redis. Each change is a script that asks in the same step who holds the lock
// and whether the monitor's assignments agree.
import type { Db } from '../../../shared/redis/db.ts';
import type { Keys } from '../../../shared/redis/keys.ts';
import { loadScript, runScript } from '../../../shared/redis/script.ts';
import type { Answer, JournalStorage, LockToken, StoredJournal } from './journal-storage.ts';

const saveScript = loadScript('save-journal-4');
const endScript = loadScript('end-journal-4');
const renewScript = loadScript('renew-lock-2');
const putBackScript = loadScript('put-back-journal-3');
const releaseScript = loadScript('release-1');

export class RedisJournalStorage implements JournalStorage {
  readonly #redis: Db;
  readonly #keys: Keys;

  constructor(redis: Db, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async takeLock(host: string, token: string, forMs: number): Promise<boolean> {
    return (await this.#redis.set(this.#keys.incidentOwner(host), token, 'PX', forMs, 'NX')) === 'OK';
  }

  async renewLock(lock: LockToken, forMs: number): Promise<Answer> {
    return (await runScript(this.#redis, renewScript, this.#who(lock), [...shown(lock), forMs])) as Answer;
  }

  async releaseLock(host: string, token: string): Promise<void> {
    await runScript(this.#redis, releaseScript, [this.#keys.incidentOwner(host)], [token]);
  }

  async save(lock: LockToken, { id, text }: StoredJournal): Promise<Answer> {
    const keys = [...this.#who(lock), ...this.#what(lock.host, id)];
    return (await runScript(this.#redis, saveScript, keys, [...shown(lock), text, id])) as Answer;
  }

  async end(lock: LockToken, { id, text }: StoredJournal, keepSeconds: number): Promise<Answer> {
    const keys = [...this.#who(lock), ...this.#what(lock.host, id)];
    return (await runScript(this.#redis, endScript, keys, [...shown(lock), text, keepSeconds])) as Answer;
  }

  async putBack(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    const keys = [this.#keys.incidentOwner(host), ...this.#what(host, id)];
    return (await runScript(this.#redis, putBackScript, keys, [token, text, id])) === 1;
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
