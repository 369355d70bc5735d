// What sonny can see of the clouds right now: their inventories, read when somebody asks.

import type { FencingMode } from '../../shared/documents/fencing-mode.ts';
import type { Inventory } from '../../shared/documents/inventory.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { CloudView } from './records.ts';

/** Where a cloud is looked at: its inventory (InventoryStore), and how its monitor works. */
export interface CloudReader {
  readonly inventory: { read(): Promise<Inventory> };
  fencing(): Promise<FencingMode | null>;
  /** Name of the monitor that leads, and why it holds; null: none leads, it does not hold. */
  leader(): Promise<string | null>;
  hold(): Promise<string | null>;
  eyes(): Promise<readonly string[]>;
}

/** All clouds, in the order of the configuration; one that cannot be read says why. */
export async function readViews(readers: ReadonlyMap<string, CloudReader>): Promise<CloudView[]> {
  const views: CloudView[] = [];
  // One after another: inventories are megabytes, and nobody is in such a hurry.
  for (const [cloud, reader] of readers) {
    try {
      const inventory = await reader.inventory.read();
      const [fencing, leader, hold, eyes] = await Promise.all([
        reader.fencing(),
        reader.leader(),
        reader.hold(),
        reader.eyes(),
      ]);
      views.push({ cloud, inventory, fencing, leader, hold, eyes, trouble: null });
    } catch (error) {
      const unread = {
        inventory: { hosts: null, servers: null },
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
