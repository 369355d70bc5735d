// Claims and journals in Redis. Each change is a script that asks in the same step who owns the claim
// and whether the monitor's mandate agrees.
import type { Db } from '../../../shared/redis/db.ts';
import type { Keys } from '../../../shared/redis/keys.ts';
import { loadScript, runScript } from '../../../shared/redis/script.ts';
import type { Answer, JournalStorage, Right, StoredJournal } from './journal.ts';

const saveScript = loadScript('save-journal-4');
const endScript = loadScript('end-journal-4');
const renewScript = loadScript('renew-claim-2');
const putBackScript = loadScript('put-back-journal-3');
const releaseScript = loadScript('release-1');

export class RedisJournalStorage implements JournalStorage {
  readonly #redis: Db;
  readonly #keys: Keys;

  constructor(redis: Db, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async takeClaim(host: string, token: string, forMs: number): Promise<boolean> {
    return (await this.#redis.set(this.#keys.incidentOwner(host), token, 'PX', forMs, 'NX')) === 'OK';
  }

  async renewClaim(right: Right, forMs: number): Promise<Answer> {
    const args = [...shown(right), forMs];
    return (await runScript(this.#redis, renewScript, this.#who(right), args)) as Answer;
  }

  async releaseClaim(host: string, token: string): Promise<void> {
    await runScript(this.#redis, releaseScript, [this.#keys.incidentOwner(host)], [token]);
  }

  async save(right: Right, { id, text }: StoredJournal): Promise<Answer> {
    const keys = [...this.#who(right), ...this.#what(right.host, id)];
    return (await runScript(this.#redis, saveScript, keys, [...shown(right), text, id])) as Answer;
  }

  async end(right: Right, { id, text }: StoredJournal, keepSeconds: number): Promise<Answer> {
    const keys = [...this.#who(right), ...this.#what(right.host, id)];
    return (await runScript(this.#redis, endScript, keys, [...shown(right), text, keepSeconds])) as Answer;
  }

  async putBack(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    const keys = [this.#keys.incidentOwner(host), ...this.#what(host, id)];
    return (await runScript(this.#redis, putBackScript, keys, [token, text, id])) === 1;
  }

  async openIncident(host: string): Promise<string | null> {
    return this.#redis.get(this.#keys.openIncident(host));
  }

  async journal(id: string): Promise<string | null> {
    return this.#redis.get(this.#keys.incident(id));
  }

  #who({ host }: Right): [string, string] {
    return [this.#keys.incidentOwner(host), this.#keys.mandate];
  }

  #what(host: string, id: string): [string, string] {
    return [this.#keys.incident(id), this.#keys.openIncident(host)];
  }
}

/** What the scripts ask for: the first of their arguments. */
const shown = ({ token, warrant }: Right): [string, string, string, number] => [
  token,
  warrant?.incident ?? '',
  warrant?.jobId ?? '',
  warrant?.epoch ?? 0,
];
