// What sonny can see of the clouds right now: their inventories, read when somebody asks. The servers
// are read only when one is asked for, and those that were not are not kept.

import type { FencingMode } from '../../shared/documents/terms/fencing-mode.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import { type CloudView, ServerSearch } from './records.ts';

/** Where a cloud is looked at: its inventory, and how its monitor works. */
export interface CloudReader {
  readonly inventory: Pick<InventoryStore, 'read' | 'readThrough'>;
  fencing(): Promise<FencingMode | null>;
  /** Name of the monitor that leads, and why it holds; null: none leads, it does not hold. */
  leader(): Promise<string | null>;
  hold(): Promise<string | null>;
  eyes(): Promise<readonly string[]>;
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
  for (const [cloud, reader] of readers) {
    try {
      const { picture, servers } = await look(reader, server);
      const [fencing, leader, hold, eyes] = await Promise.all([
        reader.fencing(),
        reader.leader(),
        reader.hold(),
        reader.eyes(),
      ]);
      views.push({ cloud, picture, servers, fencing, leader, hold, eyes, trouble: null });
    } catch (error) {
      const unread = {
        picture: null,
        servers: null,
        fencing: null,
        leader: null,
        hold: null,
        eyes: [],
      };
      views.push({ cloud, ...unread, trouble: errorText(error) });
    }
  }
  return views;
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
