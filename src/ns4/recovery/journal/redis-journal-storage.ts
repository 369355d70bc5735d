// Claims and journals in Redis. Each change is a script that asks in the same step who owns the claim
// and whether the monitor's mandate agrees.
import type { Db } from '../../../shared/redis/db.ts';
import type { Keys } from '../../../shared/redis/keys.ts';
import type { Answer, JournalStorage, Right, StoredJournal } from './journal.ts';

/**
 * KEYS 1, 2: claim, mandate. ARGV 1 to 4: our token, our incident, our job's id ('' by hand: no mandate needed), the
 * epoch of our order. `judgeWarrant` in shared/mandate.ts says the same in TypeScript.
 */
const granted = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'no-claim' end
if ARGV[3] ~= '' then
  local text = redis.call('GET', KEYS[2])
  if not text then return 'unknown' end
  local mandate = cjson.decode(text)
  if tonumber(ARGV[4]) > mandate.epoch then return 'unknown' end
  if mandate.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
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
    return (await this.#redis.eval(renewScript, 2, ...this.#who(right), ...shown(right), forMs)) as Answer;
  }

  async releaseClaim(host: string, token: string): Promise<void> {
    await this.#redis.eval(releaseScript, 1, this.#keys.incidentOwner(host), token);
  }

  async save(right: Right, { id, text }: StoredJournal): Promise<Answer> {
    const keys = [...this.#who(right), ...this.#what(right.host, id)];
    return (await this.#redis.eval(saveScript, 4, ...keys, ...shown(right), text, id)) as Answer;
  }

  async end(right: Right, { id, text }: StoredJournal, keepSeconds: number): Promise<Answer> {
    const keys = [...this.#who(right), ...this.#what(right.host, id)];
    return (await this.#redis.eval(endScript, 4, ...keys, ...shown(right), text, keepSeconds)) as Answer;
  }

  async putBack(host: string, token: string, { id, text }: StoredJournal): Promise<boolean> {
    const keys = [this.#keys.incidentOwner(host), ...this.#what(host, id)];
    return (await this.#redis.eval(putBackScript, 3, ...keys, token, text, id)) === 1;
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
