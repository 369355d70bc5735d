// What a process believes of what it reads in Redis, wired: refusals go to its log and to the events of the cloud; and
// what --check says of it.
import type { RedisSettings } from '../config/settings.ts';
import { announce } from '../documents/events/events.ts';
import { distrustText, isTaken } from '../documents/terms/distrust.ts';
import { systemClock } from '../ground/clock.ts';
import { counted } from '../ground/counted.ts';
import { errorText, OperationalError } from '../ground/errors.ts';
import type { Log } from '../ground/log.ts';
import { isLoopback } from '../ground/loopback.ts';
import { isSigned } from '../trust/seal.ts';
import { Trust } from '../trust/trust.ts';
import type { Db } from './db.ts';
import { EventLog } from './event-log.ts';
import { jsonOrNull } from './json.ts';
import { type Keys, keysOf } from './keys.ts';

/** `by`: the process, for people. */
export function trustIn(
  redis: Db,
  cloud: string,
  { signing }: Pick<RedisSettings, 'signing'>,
  by: string,
  log: Log,
): Trust {
  const events = new EventLog(redis, keysOf(cloud));
  return new Trust({
    ...{ cloud, signing, clock: systemClock },
    tell: (document) => {
      log[isTaken(document) ? 'warn' : 'error'](distrustText(document));
      const event = announce(cloud, systemClock.nowMs(), { kind: 'not-believed', document, by });
      events
        .append([event])
        .catch((error) => log.warn({ error: errorText(error) }, 'an event could not be written'));
    },
  });
}

/** What whoever starts should know of how far Redis is believed; null: all is well. */
export function trustWarning(settings: RedisSettings): string | null {
  if (settings.signing?.unsigned === 'accept')
    return '[REDIS] unsigned is accept: whoever can write to Redis can have hosts powered off and instances moved; set it to refuse once every ns4 and monitor has the key';
  if (settings.signing !== null || isOnLoopback(settings)) return null;
  return '[REDIS] key_file is not set and Redis is not on this machine alone: whoever can write to it can have hosts powered off and instances moved (docs/security.md)';
}

/** Of sentinels all. */
function isOnLoopback({ host, sentinels }: Pick<RedisSettings, 'host' | 'sentinels'>): boolean {
  const hosts = sentinels === null ? [host] : sentinels.endpoints.map(({ address }) => address);
  return hosts.every(isLoopback);
}

/**
 * For --check: what signs here, and whether the monitor that leads signs by the same key.
 * @throws OperationalError when they do not fit together
 */
export async function describeTrust(
  redis: Pick<Db, 'get'>,
  keys: Pick<Keys, 'assignments'>,
  trust: Trust,
  settings: RedisSettings,
): Promise<string> {
  const text = await redis.get(keys.assignments);
  const warning = trustWarning(settings);
  const own =
    settings.signing === null
      ? 'no key file, nothing is signed'
      : `${counted(settings.signing.keys.length, 'key')}, the first one signs`;
  const said = [own, ...(warning === null ? [] : [`warning: ${warning}`])].join('; ');
  if (text === null) return `${said}; no monitor has led yet`;
  const document = jsonOrNull(text);
  const distrust = trust.distrusts('assignments', '', document);
  if (distrust !== null)
    throw new OperationalError(`${own}, but ${distrustText(distrust)}: do all have the same key file?`);
  if (!trust.signs && isSigned(document))
    throw new OperationalError(
      `${own}, but the monitor signs: [REDIS] key_file must be the same for every ns4 and monitor`,
    );
  return trust.signs && isSigned(document) ? `${said}; the monitor signs by the same` : said;
}
