// Locks and journals in Redis. Each change is a script that asks in the same step who holds the locks
// and whether the monitor's assignments agree.
import type { Db } from '../../../shared/redis/db.ts';
import type { Keys } from '../../../shared/redis/keys.ts';
import { loadScript, runScript, type Script } from '../../../shared/redis/script.ts';
import { BelievedAssignments } from '../../../shared/trust/believed-assignments.ts';
import type { Trust } from '../../../shared/trust/trust.ts';
import {
  type Answer,
  type Claimed,
  claimByHandSeconds,
  claimOf,
  type Held,
  type JournalStorage,
  type LockToken,
  lockedHosts,
  type StoredJournal,
} from './journal-storage.ts';

const saveScript = loadScript('save-journal-n');
const endScript = loadScript('end-journal-n');
const renewScript = loadScript('renew-locks-n');
const takeScript = loadScript('take-locks-n');
const putBackScript = loadScript('put-back-journal-n');
const dropClaimScript = loadScript('drop-claim-1');
const releaseScript = loadScript('release-locks-n');

export class RedisJournalStorage implements JournalStorage {
  readonly #redis: Db;
  readonly #keys: Keys;

  readonly #assignments: BelievedAssignments;

  constructor(redis: Db, keys: Keys, trust: Trust) {
    this.#redis = redis;
    this.#keys = keys;
    this.#assignments = new BelievedAssignments(trust);
  }

  async takeLocks(lock: Omit<LockToken, 'assignment'>, forMs: number): Promise<Held | null> {
    const hosts = lockedHosts(lock);
    const keys = [...this.#locks(hosts), ...this.#claims(lock)];
    const shown = [lock.token, forMs, lock.host, hosts.length, this.#keys.assignments];
    const reply = await runScript(this.#redis, takeScript, keys, shown);
    if (!Array.isArray(reply)) return null;
    const [number, text] = reply as [number, string?];
    const host = [...hosts, ...lock.targets][number - 1] ?? lock.host;
    return { host, claim: text === undefined ? null : { host, text } };
  }

  async dropClaim({ host, text }: Claimed): Promise<void> {
    await runScript(this.#redis, dropClaimScript, [this.#keys.targetClaim(host)], [text]);
  }

  async renewLocks(lock: LockToken, forMs: number): Promise<Answer> {
    return this.#ifGranted(renewScript, lock, lock.assignment?.recovery ?? '', [forMs]);
  }

  async releaseLocks(hosts: readonly string[], token: string): Promise<void> {
    const keys = this.#locks(hosts);
    await runScript(this.#redis, releaseScript, keys, [token]);
  }

  async save(lock: LockToken, { id, text }: StoredJournal): Promise<Answer> {
    const seconds = lock.assignment === null ? claimByHandSeconds : 0;
    return this.#ifGranted(saveScript, lock, id, [text, id, claimOf(lock, id), seconds]);
  }

  async end(lock: LockToken, { id, text }: StoredJournal, keepSeconds: number): Promise<Answer> {
    return this.#ifGranted(endScript, lock, id, [text, keepSeconds]);
  }

  async putBack(lock: LockToken, { id, text }: StoredJournal): Promise<boolean> {
    const { host, token } = lock;
    const { journal, openJournal } = this.#keys;
    const keys = [this.#keys.lock(host), journal(id), openJournal(host), ...this.#claims(lock)];
    const shown = [token, text, id, claimOf(lock, id)];
    return (await runScript(this.#redis, putBackScript, keys, shown)) === 1;
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
    const locks = this.#locks(lockedHosts(lock));
    const own = [journal(journalId), openJournal(lock.host)];
    const keys = [...own, ...locks, ...this.#claims(lock)];
    const { token, assignment } = lock;
    const job = [assignment?.recovery ?? '', assignment?.jobId ?? '', assignment?.epoch ?? 0];
    const shown = [token, ...job, locks.length, assignments];
    const reply = await runScript(this.#redis, script, keys, [...shown, ...values]);
    if (!Array.isArray(reply)) return reply as Answer;
    const [answer, text] = reply as [Answer, string];
    return assignment === null || this.#assignments.believes(text) ? answer : 'unknown';
  }

  #claims({ targets }: Pick<LockToken, 'targets'>): string[] {
    return targets.map((host) => this.#keys.targetClaim(host));
  }

  #locks(hosts: readonly string[]): string[] {
    return hosts.map((host) => this.#keys.lock(host));
  }
}
