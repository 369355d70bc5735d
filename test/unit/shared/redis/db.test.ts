// What Redis answers is bounded before anybody reads it.
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { dbOver } from '../../../../src/shared/redis/db.ts';

/** A connection that is never opened, with another answer to each question. */
function answering(answer: unknown) {
  const redis = new Redis({ lazyConnect: true });
  return dbOver(Object.assign(redis, { get: async () => answer, hgetall: async () => answer }), 'Redis');
}

test.each<[string, unknown]>([
  ['a text', 'x'.repeat(64 * 1024 * 1024 + 1)],
  ['a list', Array(1_000_001).fill('')],
  ['lists in a list', Array.from({ length: 1_001 }, () => Array(1_000).fill(''))],
  ['a hash', { a: 'x'.repeat(40_000_000), b: 'x'.repeat(40_000_000) }],
])('%s that is too large is refused', async (_, answer) => {
  await expect(answering(answer).get('key')).rejects.toThrow('Redis: the answer is larger than');
});

test.each<[unknown]>([[null], ['text'], [['a', null, 3]], [{ a: 'b' }], [[[null, ['x', '1']]]]])(
  '%j comes as it is',
  async (answer) => {
    expect(await answering(answer).hgetall('key')).toEqual(answer);
  },
);
