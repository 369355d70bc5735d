// Locks and journals in the pretend Redis. Each method is one step there, as the real scripts are.
import {
  type Answer,
  type JournalStorage,
  type LockToken,
  lockedHosts,
} from '../../../src/ns4/recovery/journal/journal-storage.ts';
import { type Assignments, judgeAssignment } from '../../../src/shared/documents/assignments.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { RedisLink } from './redis-link.ts';

const owner = (host: string) => `owner:${host}`;
const journal = (id: string) => `journal:${id}`;
const open = (host: string) => `open:${host}`;

/** `onTake` hears each lock that is taken. */
export function journalStorage(link: RedisLink, onTake: (token: string) => void): JournalStorage {
  const { redis } = link;
  return {
    takeLocks: (hosts, token, forMs) =>
      link.call(() => {
        const held = hosts.find((host) => redis.get(owner(host)) !== undefined);
        if (held !== undefined) return held;
        for (const host of hosts) redis.set(owner(host), token, forMs);
        onTake(token);
        return null;
      }),
    renewLocks: (lock, forMs) =>
      link.call(() => {
        const answer = answerTo(redis, lock);
        if (answer === 'granted')
          for (const host of lockedHosts(lock)) redis.set(owner(host), lock.token, forMs);
        return answer;
      }),
    releaseLocks: (hosts, token) =>
      link.call(() => {
        for (const host of hosts) if (redis.get(owner(host)) === token) redis.delete(owner(host));
      }),
    save: (lock, { id, text }) =>
      link.call(() => {
        const answer = answerTo(redis, lock);
        if (answer !== 'granted') return answer;
        redis.set(journal(id), text);
        redis.set(open(lock.host), id);
        return answer;
      }),
    end: (lock, { id, text }) =>
      link.call(() => {
        const answer = answerTo(redis, lock);
        if (answer !== 'granted') return answer;
        redis.set(journal(id), text);
        redis.delete(open(lock.host));
        for (const host of lockedHosts(lock)) redis.delete(owner(host));
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
    openJournal: (host) => link.call(() => redis.get<string>(open(host)) ?? null),
    journal: (id) => link.call(() => redis.get<string>(journal(id)) ?? null),
  };
}

function answerTo(redis: PretendRedis, lock: LockToken): Answer {
  const { token, assignment } = lock;
  if (lockedHosts(lock).some((host) => redis.get(owner(host)) !== token)) return 'not-locked';
  if (assignment === null) return 'granted';
  const verdict = judgeAssignment(redis.get<Assignments>('assignments') ?? null, assignment);
  return verdict === 'valid' ? 'granted' : verdict;
}
