// Claims and journals in the pretend Redis. Each method is one step there, as the real scripts are.
import type { Answer, JournalStorage, Right } from '../../../src/ns4/recovery/journal/journal.ts';
import { judgeWarrant, type Mandate } from '../../../src/shared/documents/assignments.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { RedisLink } from './redis-link.ts';

const owner = (host: string) => `owner:${host}`;
const journal = (id: string) => `journal:${id}`;
const open = (host: string) => `open:${host}`;

/** `onTake` hears each claim that is taken. */
export function journalStorage(link: RedisLink, onTake: (token: string) => void): JournalStorage {
  const { redis } = link;
  return {
    takeClaim: (host, token, forMs) =>
      link.call(() => {
        if (redis.get(owner(host)) !== undefined) return false;
        redis.set(owner(host), token, forMs);
        onTake(token);
        return true;
      }),
    renewClaim: (right, forMs) =>
      link.call(() => {
        const answer = answerTo(redis, right);
        if (answer === 'granted') redis.set(owner(right.host), right.token, forMs);
        return answer;
      }),
    releaseClaim: (host, token) =>
      link.call(() => {
        if (redis.get(owner(host)) === token) redis.delete(owner(host));
      }),
    save: (right, { id, text }) =>
      link.call(() => {
        const answer = answerTo(redis, right);
        if (answer !== 'granted') return answer;
        redis.set(journal(id), text);
        redis.set(open(right.host), id);
        return answer;
      }),
    end: (right, { id, text }) =>
      link.call(() => {
        const answer = answerTo(redis, right);
        if (answer !== 'granted') return answer;
        redis.set(journal(id), text);
        redis.delete(open(right.host));
        redis.delete(owner(right.host));
        return answer;
      }),
    putBack: (host, token, { id, text }) =>
      link.call(() => {
        const now = redis.get(owner(host));
        if (now !== undefined && now !== token) return false;
        if (redis.get(journal(id)) === undefined && redis.get(open(host)) === undefined) {
          redis.set(journal(id), text);
          redis.set(open(host), id);
        }
        return true;
      }),
    openIncident: (host) => link.call(() => redis.get<string>(open(host)) ?? null),
    journal: (id) => link.call(() => redis.get<string>(journal(id)) ?? null),
  };
}

function answerTo(redis: PretendRedis, { host, token, warrant }: Right): Answer {
  if (redis.get(owner(host)) !== token) return 'no-claim';
  if (warrant === null) return 'granted';
  const verdict = judgeWarrant(redis.get<Mandate>('mandate') ?? null, warrant);
  return verdict === 'valid' ? 'granted' : verdict;
}
