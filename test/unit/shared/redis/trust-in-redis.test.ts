// What whoever starts is told of how far Redis is believed.
import { expect, it } from 'vitest';
import type { RedisSettings } from '../../../../src/shared/config/settings.ts';
import { trustWarning } from '../../../../src/shared/redis/trust-in-redis.ts';
import { settingsOf } from '../../../support/redis-client.ts';
import { testKey } from '../../../support/trust.ts';

const at = (host: string, change: Partial<RedisSettings> = {}): RedisSettings => ({
  ...settingsOf({ host, port: 6379 }),
  ...change,
});
const signing = (unsigned: 'refuse' | 'accept') => ({ signing: { keys: [testKey], unsigned } });

it.each([
  ['on this machine alone', at('127.0.0.1'), null],
  [
    'elsewhere, without a key',
    at('redis.example.org'),
    /key_file is not set and Redis is not on this machine/,
  ],
  ['elsewhere, with one', at('redis.example.org', signing('refuse')), null],
  ['with one that nothing is demanded by', at('127.0.0.1', signing('accept')), /unsigned is accept/],
])('Redis %s', (_, settings, warns) => {
  if (warns === null) expect(trustWarning(settings)).toBeNull();
  else expect(trustWarning(settings)).toMatch(warns);
});
