// What of the inventory was written since it was looked at last: hosts at once, servers as often as reading them all is
// worth it.
import type { Clock } from '../../shared/ground/clock.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';

/** To read all servers is work: it takes at most this part of the time. */
const readingShare = 0.1;

interface InventoryNewsParts {
  readonly inventory: Pick<InventoryStore, 'versions' | 'read'>;
  readonly clock: Pick<Clock, 'steadyMs'>;
  /** There are other hosts; null: none are stored. */
  onHosts(picture: Picture | null): void;
  /** There are other servers: reads them. */
  onServers(): Promise<void>;
}

export class InventoryNews {
  readonly #parts: InventoryNewsParts;
  readonly #read = { hosts: '', servers: '' };
  #readServersAgainAtMs = 0;

  constructor(parts: InventoryNewsParts) {
    this.#parts = parts;
  }

  /** Rejects as the store does; what was not read is read the next time. */
  async look(): Promise<void> {
    const { inventory, clock, onHosts, onServers } = this.#parts;
    const versions = await inventory.versions();
    if (versions.hosts !== this.#read.hosts) {
      onHosts(await inventory.read());
      this.#read.hosts = versions.hosts;
    }
    if (versions.servers === this.#read.servers || clock.steadyMs() < this.#readServersAgainAtMs) return;
    const beganMs = clock.steadyMs();
    await onServers();
    this.#read.servers = versions.servers;
    const nowMs = clock.steadyMs();
    this.#readServersAgainAtMs = nowMs + (nowMs - beganMs) / readingShare;
  }
}
