// What sonny can see of the clouds right now: their inventories, read when somebody asks.
import { errorText } from '../shared/errors.ts';
import type { Inventory } from '../shared/inventory.ts';
import type { CloudView } from './records.ts';

/** Where the inventory of a cloud is read (InventoryStore). */
export interface InventoryReader {
  read(): Promise<Inventory>;
}

/** All clouds, in the order of the configuration; one that cannot be read says why. */
export async function readViews(readers: ReadonlyMap<string, InventoryReader>): Promise<CloudView[]> {
  const views: CloudView[] = [];
  // One after another: inventories are megabytes, and nobody is in such a hurry.
  for (const [cloud, reader] of readers) {
    try {
      views.push({ cloud, inventory: await reader.read(), trouble: null });
    } catch (error) {
      views.push({ cloud, inventory: { hosts: null, servers: null }, trouble: errorText(error) });
    }
  }
  return views;
}
