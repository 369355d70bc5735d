// What sonny can see of the clouds right now, read when somebody asks. The servers are read only when one is asked for,
// and those that were not are not kept.
import { errorText } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { FoundStatus } from '../../shared/redis/status.ts';
import type { MonitorView } from './monitor-lines.ts';
import { ServerSearch, type ServersFound } from './records.ts';

/** What sonny can see of one cloud. */
export interface CloudView extends MonitorView {
  readonly cloud: string;
  /** Null: there is none yet, or it could not be read. */
  readonly picture: Picture | null;
  /** What was asked for by name; null when no server was. */
  readonly servers: ServersFound | null;
  /** Names of the vantage points that are alive, sorted. */
  readonly vantagePoints: readonly string[];
  /** Why the inventory could not be read; null when it was. */
  readonly trouble: string | null;
}

/** Where a cloud is looked at. */
export interface CloudReader {
  readonly inventory: Pick<InventoryStore, 'read' | 'readThrough'>;
  /** Name of the monitor that leads; null: none does. */
  leader(): Promise<string | null>;
  /** What the monitor published. */
  status(): Promise<FoundStatus>;
  vantagePoints(): Promise<readonly string[]>;
}

/**
 * All clouds, in the order of the configuration; one that cannot be read says why. `server` is the name or UUID of a
 * server that is asked for; null: none is.
 */
export async function readViews(
  readers: ReadonlyMap<string, CloudReader>,
  server: string | null = null,
): Promise<CloudView[]> {
  const views: CloudView[] = [];
  // One after another: inventories are megabytes, and nobody is in such a hurry.
  for (const [cloud, reader] of readers) views.push(await readView(cloud, reader, server));
  return views;
}

async function readView(cloud: string, reader: CloudReader, server: string | null): Promise<CloudView> {
  try {
    const { picture, servers } = await look(reader, server);
    const [leader, published, vantagePoints] = await Promise.all([
      reader.leader(),
      reader.status(),
      reader.vantagePoints(),
    ]);
    return { cloud, picture, servers, leader, published, vantagePoints, trouble: null };
  } catch (error) {
    return {
      cloud,
      picture: null,
      servers: null,
      leader: null,
      published: { kind: 'none' },
      vantagePoints: [],
      trouble: errorText(error),
    };
  }
}

async function look({ inventory }: CloudReader, server: string | null) {
  if (server === null) return { picture: await inventory.read(), servers: null };
  let search: ServerSearch | null = null;
  const picture = await inventory.readThrough((begun) => {
    const current = new ServerSearch(begun, server);
    search = current;
    return (servers) => current.look(servers);
  });
  return { picture, servers: (search as ServerSearch | null)?.found ?? null };
}
