// Redis behind sentinels: how a connection finds the master and follows it in a fail-over.
import { Redis, type RedisOptions, type SentinelAddress, SentinelConnector } from 'ioredis';
import type { RedisTls, SentinelSettings } from '../config/settings.ts';
import type { Endpoint } from '../documents/jobs/scan.ts';
import { timings } from '../ground/timings.ts';

/**
 * For a sentinel or a server to be reached, and for a sentinel to answer. Each attempt begins with the one that is
 * gone.
 */
export const answerLimitMs = timings.redis.sentinelMs;
const retryMs = (times: number) => Math.min(100 * times, 1_000);

/**
 * Finds the master, and leaves it when a sentinel tells of another one: a former master that hangs closes nothing, and
 * its machine may be gone without a word. ioredis has a failoverDetector for that, but one that takes the word for the
 * user's wish to disconnect when it comes while the master is being looked for (the connection then ends for good), and
 * that writes every sentinel it cannot reach to standard error.
 */
class MasterConnector extends SentinelConnector {
  #watch: readonly Redis[] = [];

  override connect(
    ...args: Parameters<SentinelConnector['connect']>
  ): ReturnType<SentinelConnector['connect']> {
    if (this.#watch.length === 0)
      this.#watch = (this.options.sentinels ?? []).map((one) => this.#listen(one));
    return super.connect(...args);
  }

  override disconnect(): void {
    super.disconnect();
    for (const sentinel of this.#watch) sentinel.disconnect();
    this.#watch = [];
  }

  #listen({ host, port }: Partial<SentinelAddress>): Redis {
    const { name, sentinelUsername, sentinelPassword, sentinelTLS } = this.options;
    const sentinel = new Redis({
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(sentinelUsername ? { username: sentinelUsername } : {}),
      ...(sentinelPassword ? { password: sentinelPassword } : {}),
      ...(sentinelTLS === undefined ? {} : { tls: sentinelTLS }),
      connectTimeout: answerLimitMs,
      keepAlive: 10_000,
      retryStrategy: (times) => Math.min(100 * times, 5_000),
      maxRetriesPerRequest: null,
      enableReadyCheck: false,
      protocol: 2 as const,
    });
    // One that cannot be reached is tried again; the others speak meanwhile.
    sentinel.on('error', () => {});
    sentinel.on('message', (_channel, text: string) => {
      // "NAME OLD-ADDRESS OLD-PORT NEW-ADDRESS NEW-PORT". Closing is all it takes: ioredis looks for the master again.
      if (text.split(' ')[0] === name) this.stream?.destroy();
    });
    sentinel.subscribe('+switch-master').catch(() => {});
    return sentinel;
  }
}

/** As Node's TLS takes them; the server is always verified, whatever the environment says of that. */
export const tlsOptions = ({ ca, client, serverName }: RedisTls) => ({
  rejectUnauthorized: true,
  ...(ca === null ? {} : { ca }),
  ...(client === null ? {} : client),
  ...(serverName === null ? {} : { servername: serverName }),
});

/** What takes the place of host and port. */
export function sentinelOptions(sentinels: SentinelSettings, tls: RedisTls | null) {
  return {
    sentinels: sentinels.endpoints.map(({ address, port }) => ({ host: address, port })),
    name: sentinels.master,
    ...(sentinels.username === null ? {} : { sentinelUsername: sentinels.username }),
    ...(sentinels.password === null ? {} : { sentinelPassword: sentinels.password }),
    ...(tls === null ? {} : { sentinelTLS: tlsOptions(tls), enableTLSForSentinelMode: true }),
    Connector: MasterConnector as unknown as NonNullable<RedisOptions['Connector']>,
    // Those that are configured, in their order: others that the sentinels know of may not be reachable from here.
    updateSentinels: false,
    connectTimeout: answerLimitMs,
    sentinelCommandTimeout: answerLimitMs,
    // When no sentinel knows a master: all are asked again, for as long as it takes.
    sentinelRetryStrategy: retryMs,
  } satisfies RedisOptions;
}

/** "10.0.0.1:26379", an IPv6 address in brackets. */
export const endpointText = ({ address, port }: Endpoint): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
