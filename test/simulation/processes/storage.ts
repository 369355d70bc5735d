// What the monitors keep in the pretend Redis, and the inventory. Each method is one step there, as the real scripts
// are.

import { assignmentsOf, type State, stateSchema } from '../../../src/monitor/core/state/state.ts';
import { type FoundOrder, LostLeaseError, type Memory } from '../../../src/monitor/memory.ts';
import { Places } from '../../../src/ns4/baseline/places.ts';
import type { Assignments } from '../../../src/shared/documents/assignments.ts';
import type { SonnyEvent } from '../../../src/shared/documents/events/events.ts';
import type { Hosts, InstanceCounts, Server, Servers } from '../../../src/shared/documents/inventory.ts';
import { orderSchema } from '../../../src/shared/documents/orders.ts';
import { countsOf, type Picture, serversByHost } from '../../../src/shared/picture/picture.ts';
import {
  GenerationGoneError,
  type InventorySource,
  readPicture,
  type ServersWanted,
} from '../../../src/shared/picture/reading.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { PretendLease } from './lease.ts';
import type { Process } from './process.ts';
import type { RedisLink } from './redis-link.ts';

/** The state as saved, with what the judges keep beside it: both are lost together. */
interface Saved<Ledger> {
  readonly state: State;
  readonly ledger: Ledger;
}

export interface Judge<Ledger> {
  emptyLedger(): Ledger;
  /** Called with what is about to be saved; throws a violation. */
  judge(ledger: Ledger, before: State | null, after: State, events: readonly SonnyEvent[]): Ledger;
  /** It is saved, and its events are heard. */
  saved(state: State, events: readonly SonnyEvent[], process: Process): void;
  /** Whoever saved it knows that it is. */
  acknowledged(state: State): void;
}

export class PretendMemory<Ledger>
  implements Pick<Memory, 'read' | 'save' | 'holds' | 'readOrders' | 'forgetOrders'>
{
  readonly #link: RedisLink;
  readonly #lease: PretendLease;
  readonly #judge: Judge<Ledger>;
  /** As this process knows them, as the real driver does; Redis may have lost something since. */
  #before: State | null = null;
  #ledger: Ledger;

  constructor(link: RedisLink, lease: PretendLease, judge: Judge<Ledger>) {
    this.#link = link;
    this.#lease = lease;
    this.#judge = judge;
    this.#ledger = judge.emptyLedger();
  }

  async read(): Promise<State | null> {
    const { redis } = this.#link;
    const saved = await this.#link.call(() => redis.get<Saved<Ledger>>('state'));
    if (saved === undefined) return null;
    const state = redis.strict ? readBack(saved.state) : saved.state;
    if (this.#before === null || isLater(state, this.#before)) {
      this.#before = state;
      this.#ledger = saved.ledger;
    }
    return state;
  }

  async save(state: State, events: readonly SonnyEvent[]): Promise<void> {
    const { redis, process } = this.#link;
    let ledger = this.#ledger;
    await this.#link.call(() => {
      if (!this.#lease.isOurs()) throw new LostLeaseError('the lease is not ours any more');
      try {
        ledger = this.#judge.judge(this.#ledger, this.#before, state, events);
      } catch (violation) {
        process.timeline.fail(violation);
      }
      redis.set('state', { state, ledger } satisfies Saved<Ledger>);
      redis.set('assignments', assignmentsOf(state));
      try {
        this.#judge.saved(state, events, process);
      } catch (violation) {
        process.timeline.fail(violation);
      }
    });
    this.#ledger = ledger;
    this.#before = state;
    this.#judge.acknowledged(state);
  }

  holds(state: State): Promise<boolean> {
    const { redis } = this.#link;
    return this.#link.call(() => {
      const assignments = redis.get<Assignments>('assignments');
      return assignments?.epoch === state.epoch && assignments.revision === state.revision;
    });
  }

  readOrders(): Promise<FoundOrder[]> {
    const { redis } = this.#link;
    return this.#link.call(() =>
      (redis.get<string[]>('orders') ?? []).map((text) => ({
        text,
        order: orderSchema.parse(JSON.parse(text)),
      })),
    );
  }

  forgetOrders(orders: readonly FoundOrder[]): Promise<void> {
    const { redis } = this.#link;
    return this.#link.call(() => {
      if (!this.#lease.isOurs()) return;
      const texts = new Set(orders.map(({ text }) => text));
      redis.set(
        'orders',
        (redis.get<string[]>('orders') ?? []).filter((text) => !texts.has(text)),
      );
    });
  }
}

/** As it is read back: what JSON or the schema would lose is lost here too. */
function readBack(saved: State): State {
  return stateSchema.parse(JSON.parse(JSON.stringify(saved)));
}

/** Of two copies of the state, is `a` the one saved later, or the same? */
const isLater = (a: State, b: State): boolean =>
  a.epoch === b.epoch ? a.revision >= b.revision : a.epoch > b.epoch;

export const hostsKey = 'hosts';

/** Whose the external addresses are, by the servers that are stored. */
export function placesIn(redis: PretendRedis): Places {
  const newest = redis.get<Generations>('servers')?.[0];
  const places = new Places(newest?.counts.collectedAtMs ?? Number.NEGATIVE_INFINITY);
  for (const servers of newest?.listed.values() ?? []) places.add(servers);
  return places;
}

/** The servers of one refresh, by host. */
interface Generation {
  readonly counts: InstanceCounts;
  readonly listed: ReadonlyMap<string, readonly Server[]>;
}
/** The current generation, and the one it replaced, which stays for whoever reads by older counts. */
type Generations = readonly [Generation, ...Generation[]];

/** The inventory as the real store keeps it, but by reference, and with both generations under one key. */
export class PretendInventory {
  readonly #link: RedisLink;
  readonly #source: InventorySource;

  constructor(link: RedisLink) {
    const { redis } = link;
    const generations = () => redis.get<Generations>('servers') ?? [];
    this.#link = link;
    this.#source = {
      head: () =>
        link.call(() => {
          const hosts = redis.get<Hosts>('hosts');
          return hosts === undefined ? null : { hosts, counts: generations()[0]?.counts ?? null };
        }),
      servers: (generation, hosts) =>
        link.call(() => {
          const found = generations().find(({ counts }) => counts.generation === generation);
          if (found === undefined) throw new GenerationGoneError(`${generation} is gone`);
          return new Map(hosts.map((host) => [host, found.listed.get(host) ?? []]));
        }),
    };
  }

  read(wants: (picture: Picture) => ServersWanted): Promise<Picture | null> {
    return readPicture(this.#source, wants);
  }

  before(): Pick<Hosts, 'agents' | 'hypervisors'> {
    return this.#link.redis.get<Hosts>('hosts') ?? { agents: [], hypervisors: [] };
  }

  write(hosts: Hosts, servers: Servers | null): Promise<void> {
    const { redis, process } = this.#link;
    return this.#link.call(() => {
      redis.set(hostsKey, hosts);
      if (servers === null) return;
      const listed = serversByHost(servers);
      const generation = `${servers.collectedAtMs}-${process.name}`;
      const counts: InstanceCounts = {
        ...{ version: 1, cloud: hosts.cloud, generation },
        ...countsOf(servers, listed),
      };
      const replaced = redis.get<Generations>('servers')?.slice(0, 1) ?? [];
      redis.set('servers', [{ counts, listed }, ...replaced] satisfies Generations);
    });
  }

  /** When the servers were last collected; null when never. */
  serversCollectedAtMs(): number | null {
    return this.#link.redis.get<Generations>('servers')?.[0].counts.collectedAtMs ?? null;
  }
}
