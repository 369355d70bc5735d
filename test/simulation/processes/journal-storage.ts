// Locks and journals in the pretend Redis. Each method is one step there, as the real scripts are.
import {
  type Answer,
  claimByHandSeconds,
  claimOf,
  claimSchema,
  type JournalStorage,
  type LockToken,
  lockedHosts,
} from '../../../src/ns4/recovery/journal/journal-storage.ts';
import { type Assignments, judgeAssignment } from '../../../src/shared/documents/assignments.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { RedisLink } from './redis-link.ts';

export const owner = (host: string) => `owner:${host}`;
const journal = (id: string) => `journal:${id}`;
const claimKey = (host: string) => `claim:${host}`;
const open = (host: string) => `open:${host}`;

/** `onTake` hears each lock that is taken. */
export function journalStorage(link: RedisLink, onTake: (token: string) => void): JournalStorage {
  const { redis } = link;
  return {
    takeLocks: (lock, forMs) =>
      link.call(() => {
        const hosts = lockedHosts(lock);
        const locked = hosts.find((host) => redis.get(owner(host)) !== undefined);
        if (locked !== undefined) return { host: locked, claim: null };
        const claimed = lock.targets
          .map((host) => ({ host, text: redis.get<string>(claimKey(host)) }))
          .find(({ text }) => text !== undefined && isWanted(redis, text, lock.host));
        if (claimed?.text !== undefined)
          return { host: claimed.host, claim: { host: claimed.host, text: claimed.text } };
        for (const host of hosts) redis.set(owner(host), lock.token, forMs);
        onTake(lock.token);
        return null;
      }),
    dropClaim: ({ host, text }) =>
      link.call(() => {
        if (redis.get(claimKey(host)) === text) redis.delete(claimKey(host));
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
        const forMs = lock.assignment === null ? claimByHandSeconds * 1_000 : Number.POSITIVE_INFINITY;
        for (const host of lock.targets) redis.set(claimKey(host), claimOf(lock, id), forMs);
        return answer;
      }),
    end: (lock, { id, text }) =>
      link.call(() => {
        const answer = answerTo(redis, lock);
        if (answer !== 'granted') return answer;
        redis.set(journal(id), text);
        redis.delete(open(lock.host));
        for (const host of lockedHosts(lock)) redis.delete(owner(host));
        for (const host of lock.targets) redis.delete(claimKey(host));
        return answer;
      }),
    putBack: (lock, { id, text }) =>
      link.call(() => {
        const { host, token } = lock;
        const now = redis.get(owner(host));
        if (now !== undefined && now !== token) return false;
        if (redis.get(journal(id)) === undefined && redis.get(open(host)) === undefined) {
          redis.set(journal(id), text);
          redis.set(open(host), id);
          for (const target of lock.targets)
            if (redis.get(claimKey(target)) === undefined) redis.set(claimKey(target), claimOf(lock, id));
        }
        return true;
      }),
    openJournal: (host) => link.call(() => redis.get<string>(open(host)) ?? null),
    journal: (id) => link.call(() => redis.get<string>(journal(id)) ?? null),
  };
}

/** Is it the claim of another host's recovery, which the assignments, as far as they are known, still want? */
function isWanted(redis: PretendRedis, text: string, dead: string): boolean {
  const by = claimSchema.parse(JSON.parse(text));
  const jobs = redis.get<Assignments>('assignments')?.jobs;
  return by.dead !== dead && (by.byHand || jobs === undefined || jobs[by.recovery] !== undefined);
}

function answerTo(redis: PretendRedis, lock: LockToken): Answer {
  const { token, assignment } = lock;
  if (lockedHosts(lock).some((host) => redis.get(owner(host)) !== token)) return 'not-locked';
  if (assignment === null) return 'granted';
  const verdict = judgeAssignment(redis.get<Assignments>('assignments') ?? null, assignment);
  return verdict === 'valid' ? 'granted' : verdict;
}
