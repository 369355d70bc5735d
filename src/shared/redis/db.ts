// A connection to Redis as the house sees it: the commands that are used, one kind of error, and nothing of the
// library.
import type { ChainableCommander, Redis } from 'ioredis';
import { ServiceError } from '../ground/errors.ts';
import { redisErrorText } from './login-words.ts';

const commands = [
  'get',
  'set',
  'del',
  'mget',
  'getrange',
  'hgetall',
  'hmget',
  'hscan',
  'lrange',
  'xrange',
  'xrevrange',
  'zrange',
  'zrem',
  'eval',
  'evalsha',
] as const;

/**
 * What stores are handed. Every command rejects with a ServiceError that names the server, within 8 s (see connect.ts).
 * `status` is "ready" while commands are answered. A key of another type reads as one that makes no sense.
 */
export type Db = Pick<Redis, (typeof commands)[number] | 'multi' | 'status' | 'disconnect'>;

/** Commands that are sent together and carried out in one step. */
export type Transaction = ChainableCommander;

/**
 * Redis answered, and refused: a key of another type, a stream that is full, a right that is missing. Asked again it says
 * the same, unlike a server that is away or busy.
 */
export class RedisRefusalError extends ServiceError {}

/** Refusals of a server that will take the same command a while later. */
const passing = /^(LOADING|READONLY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN|BUSY|NOREPLICAS|UNBLOCKED)\b/;

/** Did Redis refuse this for good? `error` as a library of Redis throws it. */
export const isRefusalOfRedis = (error: unknown): boolean =>
  error instanceof RedisRefusalError ||
  (error instanceof Error && error.name === 'ReplyError' && !passing.test(error.message));

/** Characters of one answer, and parts of it: no document of Sonny's is so large, and parsing one would stop the process. */
const mostLetters = 64 * 1024 * 1024;
const mostParts = 1_000_000;

/** @throws ServiceError for an answer that nobody of ours wrote */
function bounded(answer: unknown): unknown {
  const left = { letters: mostLetters, parts: mostParts };
  if (!fits(answer, left)) throw new ServiceError('the answer is larger than anything Sonny keeps there');
  return answer;
}

function fits(answer: unknown, left: { letters: number; parts: number }): boolean {
  if (typeof answer === 'string') left.letters -= answer.length;
  else if (Array.isArray(answer)) {
    left.parts -= answer.length;
    return left.parts >= 0 && answer.every((part) => fits(part, left));
  } else if (typeof answer === 'object' && answer !== null && !(answer instanceof Error))
    // HGETALL, as the library has it.
    return fits(Object.values(answer), left) && fits(Object.keys(answer), left);
  return left.letters >= 0;
}

/** Is the key of another type than the command is for? */
export const isOfAnotherType = (error: unknown): boolean =>
  isRefusalOfRedis(error) && redisErrorText(error).includes('WRONGTYPE');

/** What stands for the text, or the hash, where a key is of another type. */
const insteadOf: Partial<Record<(typeof commands)[number], (keys: readonly unknown[]) => unknown>> = {
  get: () => noText,
  hgetall: () => ({}),
  hmget: (keys) => keys.slice(1).map(() => null),
  hscan: () => ['0', []],
};
/** A text that no reader takes for a document: whoever reads texts drops, or refuses, what makes no sense. */
const noText = '(no text)';

/** The connection, with its errors told as those of `place`. */
export function dbOver(redis: Redis, place: string): Db {
  const told = async (answer: Promise<unknown>) => {
    try {
      return bounded(await answer);
    } catch (error) {
      const text = `${place}: ${withFirstReason(error)}`;
      throw isRefusalOfRedis(error) ? new RedisRefusalError(text) : new ServiceError(text);
    }
  };
  const asked = Object.fromEntries(
    commands.map((name) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await told(Reflect.apply(redis[name], redis, args));
        } catch (error) {
          const instead = insteadOf[name];
          if (instead === undefined || !isOfAnotherType(error)) throw error;
          return instead(args);
        }
      },
    ]),
  );
  const others = {
    multi: () => {
      const transaction = redis.multi();
      const exec = transaction.exec.bind(transaction);
      return Object.assign(transaction, { exec: () => told(exec()) });
    },
    disconnect: () => redis.disconnect(),
  };
  // One cast: the functions above are those of the same names.
  const db = { ...asked, ...others } as unknown as Db;
  return Object.defineProperty(db, 'status', { get: () => redis.status });
}

/** "EXECABORT …" tells only that a command of a transaction was refused. */
function withFirstReason(error: unknown): string {
  const { previousErrors: [first] = [] } = error as { previousErrors?: readonly unknown[] };
  return first === undefined ? redisErrorText(error) : `${redisErrorText(error)} (${redisErrorText(first)})`;
}
