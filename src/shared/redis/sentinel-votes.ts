// What each sentinel says of the master, for --check: a connection takes the first answer and never tells of the
// others.
import { Redis } from 'ioredis';
import type { RedisSettings, SentinelSettings } from '../config/settings.ts';
import type { Endpoint } from '../documents/jobs/scan.ts';
import { connectOnce } from './connect.ts';
import { redisErrorText } from './login-words.ts';
import { answerLimitMs, endpointText, tlsOptions } from './sentinels.ts';

/** What the sentinels say of the master, each asked by itself. */
interface SentinelVotes {
  /** The first answer, as a connection takes it; null when none names a master. */
  readonly master: Endpoint | null;
  /** How many say the same. */
  readonly agree: number;
  /** One line for each sentinel that says something else, or nothing. */
  readonly others: readonly string[];
}

/** Asks every sentinel once, for 2 s at most; does not throw. */
export async function askSentinels(
  settings: RedisSettings,
  sentinels: SentinelSettings,
): Promise<SentinelVotes> {
  const answers = await Promise.all(
    sentinels.endpoints.map(async (sentinel) => ({
      sentinel,
      ...(await ask(sentinel, settings, sentinels)),
    })),
  );
  const master = answers.find((answer) => answer.master !== null)?.master ?? null;
  const others = answers.filter((answer) => !isSame(answer.master, master));
  return {
    master,
    agree: answers.length - others.length,
    others: others.map(({ sentinel, said }) => `${endpointText(sentinel)}: ${said}`),
  };
}

const isSame = (a: Endpoint | null, b: Endpoint | null): boolean =>
  a !== null && b !== null && endpointText(a) === endpointText(b);

async function ask(
  { address, port }: Endpoint,
  { tls }: RedisSettings,
  { master, username, password }: SentinelSettings,
): Promise<{ master: Endpoint | null; said: string }> {
  const redis = new Redis({
    host: address,
    port,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    ...connectOnce,
    connectTimeout: answerLimitMs,
    commandTimeout: answerLimitMs,
  });
  let trouble: unknown = null;
  redis.on('error', (error) => {
    trouble = error;
  });
  try {
    await redis.connect();
    const found = await redis.call('SENTINEL', 'get-master-addr-by-name', master);
    if (!Array.isArray(found)) return { master: null, said: `knows no master "${master}"` };
    const named = { address: String(found[0]), port: Number(found[1]) };
    return { master: named, said: `names ${endpointText(named)}` };
  } catch (error) {
    return { master: null, said: redisErrorText(trouble ?? error) };
  } finally {
    redis.disconnect();
  }
}
