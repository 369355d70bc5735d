// How safe each connection is against who sits in its path: TLS verified, TLS unverified, or plain. Told by --check, and
// warned of at the start. Pure, but for the one variable of the environment that would switch all checks off.
import { isIP } from 'node:net';
import type { ProcessName } from '../config/keys/key.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopback } from '../ground/loopback.ts';

/** One connection to be judged. */
export interface Connection {
  /** "Redis at 10.0.0.1:6379". */
  readonly what: string;
  /** Name or address of the other side. */
  readonly host: string;
  readonly tls: 'verified' | 'unverified' | 'plain';
}

/** What --check says of a connection. */
export function safetyText({ what, host, tls }: Connection): string {
  const how = tls === 'plain' ? 'plain' : `TLS ${tls}`;
  return `${what}: ${how}${tls !== 'verified' && isLoopback(host) ? ', on this machine' : ''}`;
}

/** What is wrong with a connection; null: nothing, or it does not leave this machine. */
export function safetyWarning({ what, host, tls }: Connection): string | null {
  if (tls === 'verified' || isLoopback(host)) return null;
  return tls === 'plain'
    ? `${what} is plain: who sits in its path reads it, passwords and all, and can change it`
    : `${what} is TLS without a check of the certificate: who sits in its path can be it`;
}

/** The connection to a URL; `verify`: whether its certificate is checked. */
export function connectionTo(what: string, url: string, verify: boolean): Connection {
  const { protocol, hostname, origin } = new URL(url);
  const tls = protocol !== 'https:' ? 'plain' : verify ? 'verified' : 'unverified';
  return { what: `${what} at ${origin}`, host: hostname, tls };
}

/** The connections of a process that config.ini alone describes. */
export function connectionsOf(name: ProcessName, settings: Settings): Connection[] {
  const { redis, mysql, slack, alarm } = settings;
  const servers =
    redis.sentinels === null ? [{ address: redis.host, port: redis.port }] : redis.sentinels.endpoints;
  const tls = redis.tls ? 'verified' : 'plain';
  const what = redis.sentinels === null ? 'Redis' : 'Redis (sentinel)';
  return [
    ...servers.map(
      ({ address, port }) =>
        ({ what: `${what} at ${placeText(address, port)}`, host: address, tls }) as const,
    ),
    ...(name !== 'ns4' || mysql === null
      ? []
      : [
          {
            what: `MySQL at ${placeText(mysql.host, mysql.port)}`,
            host: mysql.host,
            tls: mysql.ca === null ? 'plain' : 'verified',
          } as const,
        ]),
    ...(name !== 'sonny' || slack.token === null
      ? []
      : [connectionTo('Slack', slack.apiUrl ?? 'https://slack.com/api/', true)]),
    ...(name !== 'monitor' || alarm.deadManUrl === null
      ? []
      : [connectionTo('dead man', alarm.deadManUrl, true)]),
  ];
}

const placeText = (host: string, port: number): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/**
 * NODE_TLS_REJECT_UNAUTHORIZED=0 makes Node check no certificate at all, in every library that does not insist. It is
 * taken out of the environment, as Node looks there with each connection. Returns what to warn of; null: it was not set.
 */
export function insistOnCertificates(env: NodeJS.ProcessEnv): string | null {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return null;
  delete env.NODE_TLS_REJECT_UNAUTHORIZED;
  return 'NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment is not obeyed: certificates are checked all the same';
}
