// Whose an external address is, and where that instance is, by one reading of the servers. Pure.
import { externalAddresses, type Server } from '../../shared/documents/inventory.ts';
import { standingOf } from '../../shared/rules/guests.ts';

/** Stands for an instance where an address is several instances' at once: its answer is nobody's. */
export const ofSeveral = '-';

export interface Place {
  /** Of the instance; `ofSeveral`. */
  readonly id: string;
  /** Null: on none, or it may be on another one by now. */
  readonly host: string | null;
  /** The network that it is asked on, by Neutron's id. */
  readonly network: string | null;
}

export class Places {
  /** When the servers were read from the cloud, by the clock of whoever read them. */
  readonly collectedAtMs: number;
  readonly #places = new Map<string, Place>();

  constructor(collectedAtMs: number) {
    this.collectedAtMs = collectedAtMs;
  }

  add(servers: readonly Server[]): void {
    for (const server of servers) {
      const host = standingOf(server).tells === 'nothing' ? null : server.host;
      for (const { address, networkId } of externalAddresses(server)) {
        const other = this.#places.get(address);
        const isShared = other !== undefined && other.id !== server.id;
        const place = { id: server.id, host, network: networkId };
        this.#places.set(address, isShared ? { id: ofSeveral, host: null, network: null } : place);
      }
    }
  }

  /** Null: nobody's. */
  of(address: string): Place | null {
    return this.#places.get(address) ?? null;
  }

  get addresses(): ReadonlySet<string> {
    return new Set(this.#places.keys());
  }
}
