// Locks and journals in Redis. Each change is a script that asks in the same step who holds the locks
// and whether the monitor's assignments agree.
import type { Db } from '../../../shared/redis/db.ts';
import type { Keys } from '../../../shared/redis/keys.ts';
import { loadScript, runScript, type Script } from '../../../shared/redis/script.ts';
import {
  type Answer,
  type JournalStorage,
  type LockToken,
  lockedHosts,
  type StoredJournal,
} from './journal-storage.ts';

const saveScript = loadScript('save-journal-n');
const endScript = loadScript('end-journal-n');
const renewScript = loadScript('renew-locks-n');
const takeScript = loadScript('take-locks-n');
const putBackScript = loadScript('put-back-journal-3');
const releaseScript = loadScript('release-locks-n');

export class RedisJournalStorage implements JournalStorage {
  readonly #redis: Db;
  readonly #keys: Keys;

  constructor(redis: Db, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async takeLocks(hosts: readonly string[], token: string, forMs: number): Promise<string | null> {
    const keys = this.#locks(hosts);
    const first = Number(await runScript(this.#redis, takeScript, keys, [token, forMs]));
    return first === 0 ? null : (hosts[first - 1] ?? null);
  }

  async renewLocks(lock: LockToken, forMs: number): Promise<Answer> {
    return this.#ifGranted(renewScript, lock, lock.assignment?.recovery ?? '', [forMs]);
  }

  async releaseLocks(hosts: readonly string[], token: string): Promise<void> {
    const keys = this.#locks(hosts);
    await runScript(this.#redis, releaseScript, keys, [token]);
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
    return (await runScript(this.#redis, putBackScript, keys, [token, text, id])) === 1;
  }

  async openJournal(host: string): Promise<string | null> {
    return this.#redis.get(this.#keys.openJournal(host));
  }

  async journal(id: string): Promise<string | null> {
    return this.#redis.get(this.#keys.journal(id));
  }

  async #ifGranted(
    script: Script,
    lock: LockToken,
    journalId: string,
    values: (string | number)[],
  ): Promise<Answer> {
    const { assignments, journal, openJournal } = this.#keys;
    const keys = [assignments, journal(journalId), openJournal(lock.host), ...this.#locks(lockedHosts(lock))];
    const { token, assignment } = lock;
    const shown = [token, assignment?.recovery ?? '', assignment?.jobId ?? '', assignment?.epoch ?? 0];
    return (await runScript(this.#redis, script, keys, [...shown, ...values])) as Answer;
  }

  #locks(hosts: readonly string[]): string[] {
    return hosts.map((host) => this.#keys.lock(host));
  }
}
