import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { LostLeaseError } from '../../../src/monitor/memory.ts';
import { mostFailedTurns, TurnTroubles } from '../../../src/monitor/turn-troubles.ts';
import { OperationalError, ServiceError } from '../../../src/shared/ground/errors.ts';
import { createLog } from '../../../src/shared/ground/log.ts';
import { RedisRefusalError } from '../../../src/shared/redis/db.ts';

function troubles() {
  const out = new PassThrough();
  const log = createLog({ name: 'monitor', verbosity: 0, destination: out });
  return {
    troubles: new TurnTroubles(log),
    lines: () =>
      String(out.read() ?? '')
        .split('\n')
        .filter(Boolean),
  };
}
const failing = (error: Error) => () => Promise.reject(error);
const refusal = new RedisRefusalError('Redis at x: WRONGTYPE');

test('a part fails by itself, which is said once until it is over', async () => {
  const { troubles: parts, lines } = troubles();
  for (let i = 0; i < 3; i += 1) expect(await parts.apart('orders', 'none', failing(refusal))).toBe('none');
  expect(lines()).toEqual([
    expect.stringMatching(/"error":"Redis at x: WRONGTYPE".*orders: failed; the rest goes on/),
  ]);
  expect(await parts.apart('orders', 'none', async () => 'some')).toBe('some');
  expect(lines()).toEqual([expect.stringContaining('orders: works again')]);
});

test.each([new LostLeaseError('not ours'), new ServiceError('Redis at x: away')])(
  'what ends the whole turn ends the part: %s',
  async (error) => {
    await expect(troubles().troubles.apart('orders', null, failing(error))).rejects.toBe(error);
  },
);

test.each([refusal, new TypeError('x is not a function'), new OperationalError('no such state')])(
  'turns that fail again and again end the monitor with the reason: %s',
  (error) => {
    const { troubles: turns } = troubles();
    for (let i = 1; i < mostFailedTurns; i += 1) turns.failed(error);
    turns.turned();
    for (let i = 1; i < mostFailedTurns; i += 1) turns.failed(error);
    expect(() => turns.failed(error)).toThrow(
      `120 turns in a row failed, and no further one will go better: ${error.message}`,
    );
  },
);

test('a Redis that is away is waited for without end', () => {
  const { troubles: turns } = troubles();
  for (let i = 0; i < 10 * mostFailedTurns; i += 1)
    turns.failed(new ServiceError('Redis at x: ECONNREFUSED'));
});
