// Sonny's connections to Redis: one for each cloud's database, and one that is told of events as they happen.
import type { Settings } from '../shared/config/settings.ts';
import type { Log } from '../shared/ground/log.ts';
import { InventoryStore } from '../shared/picture/store.ts';
import type { Frame } from '../shared/process/frame.ts';
import { connectRedis, hearClouds } from '../shared/redis/connect.ts';
import type { Db } from '../shared/redis/db.ts';
import { type Keys, keysOf } from '../shared/redis/keys.ts';
import { readLeader } from '../shared/redis/leader.ts';
import { readStatus } from '../shared/redis/status.ts';
import { VantagePointRegistry } from '../shared/vantage-points/registry.ts';
import { type EventSource, RedisEventSource } from './inbox/event-source.ts';
import type { CloudReader } from './talk/views.ts';

export interface Clouds {
  readonly names: readonly string[];
  readonly sources: readonly EventSource[];
  readonly readers: ReadonlyMap<string, CloudReader>;
}

/**
 * Connects to the databases of all clouds. `reader` names whose cursor is moved: somebody who watches in a terminal
 * must not take events from the sonny that posts to Slack.
 */
export function connectClouds(
  settings: Settings,
  reader: 'slack' | 'terminal',
  log: Log,
  frame: Frame,
): Clouds {
  const sources: EventSource[] = [];
  const readers = new Map<string, CloudReader>();
  for (const cloud of settings.slack.clouds) {
    const redis = connect(settings, cloud, log, frame);
    const keys = keysOf(cloud);
    const cursorKey = reader === 'slack' ? keys.relayCursor : keys.terminalCursor;
    sources.push(new RedisEventSource(redis, { cloud, streamKey: keys.events, cursorKey }));
    readers.set(cloud, readerOf(redis, keys));
  }
  return { names: settings.slack.clouds, sources, readers };
}

/** Connects to the database of one cloud, to look at it. */
export const connectReader = (settings: Settings, cloud: string, log: Log, frame: Frame): CloudReader =>
  readerOf(connect(settings, cloud, log, frame), keysOf(cloud));

function connect(settings: Settings, cloud: string, log: Log, frame: Frame): Db {
  const redis = connectRedis(settings.redis, cloud, log);
  frame.onClose(`Redis of ${cloud}`, () => redis.disconnect());
  return redis;
}

function readerOf(redis: Db, keys: Keys): CloudReader {
  const registry = new VantagePointRegistry(redis, keys);
  return {
    inventory: new InventoryStore(redis, keys),
    leader: () => readLeader(redis, keys),
    status: () => readStatus(redis, keys),
    vantagePoints: async () => (await registry.list()).names,
  };
}

/** Calls back when an event of any cloud was published. Only a hint: the streams are read in any case, a bit later. */
export function onEvents(settings: Settings, wake: () => void, log: Log, frame: Frame): void {
  const [first, ...others] = settings.slack.clouds;
  if (first === undefined) return;
  const hearing = hearClouds(settings.redis, [first, ...others], wake, log);
  frame.onClose('Redis events', () => hearing.close());
}
