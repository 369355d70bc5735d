// The background round over disks: every running instance is asked once in five minutes, spread over that time, so that
// it is known whose disks answer while all is well. Beside it the addresses are learned from which hypervisors open them.
import type { Server } from '../../shared/documents/inventory.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import { standingOf } from '../../shared/rules/guests.ts';
import { isHeard } from '../../shared/rules/senses/heartbeat.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { AddressBook } from '../disks/address-book.ts';
import { type Asked, askInstances } from '../disks/ask-instances.ts';
import { openHere } from '../disks/judge.ts';
import type { Answered, OpenedStore } from '../disks/opened-store.ts';
import type { Storage } from '../storage/storage.ts';
import { Background } from './background.ts';
import { InventoryNews } from './inventory-news.ts';
import { AddressLearner } from './learn-addresses.ts';
import { Rounds, type Turn } from './rounds.ts';
import { Turns } from './turns.ts';

/** Asked in one go. */
const perGo = 256;
/** Hosts are learned from while the inventory is this young: an older one does not tell who is well. */
const youngMs = 60_000;

interface Known extends Asked {
  readonly host: string;
}

interface BackgroundAskingParts {
  readonly storage: Pick<Storage, 'ask'>;
  readonly pools: readonly string[];
  readonly store: Pick<OpenedStore, 'note' | 'learn' | 'addresses' | 'prune'>;
  readonly cloud: Pick<Cloud, 'listServers'>;
  readonly inventory: Pick<InventoryStore, 'versions' | 'read' | 'readThrough'>;
  readonly rules: { readonly heartbeatPeriodMs: number };
  readonly clock: Clock;
  readonly log: Log;
}

export class BackgroundAsking {
  readonly #parts: BackgroundAskingParts;
  readonly #rounds = new Rounds();
  readonly #turns: Turns;
  readonly #news: InventoryNews;
  readonly #learner: AddressLearner;
  readonly #background: Background;
  #known: ReadonlyMap<string, Known> = new Map();
  #picture: Picture | null = null;
  #isTroubleTold = false;

  constructor(parts: BackgroundAskingParts) {
    const { inventory, clock, log } = parts;
    this.#parts = parts;
    this.#turns = new Turns(this.#rounds, clock.steadyMs());
    this.#learner = new AddressLearner({ ...parts, isWell: (host, nowMs) => this.#isWell(host, nowMs) });
    this.#news = new InventoryNews({
      ...{ inventory, clock },
      onHosts: (picture) => {
        this.#picture = picture;
      },
      onServers: () => this.#readServers(),
    });
    this.#background = new Background({
      ...{ clock, log, trouble: 'the disks of instances cannot be asked for now' },
      turn: (signal) => this.#turn(signal),
    });
  }

  start(): void {
    this.#background.start();
  }

  /** Resolves when nothing of it goes on any more. */
  close(): Promise<void> {
    return this.#background.close();
  }

  /** Looks for what is new, and asks whose turn it is; false when it is nobody's. */
  turn(): Promise<boolean> {
    return this.#background.turn();
  }

  async #turn(signal: AbortSignal): Promise<boolean> {
    await this.#news.look();
    const { isAny, turns } = this.#turns.next(this.#parts.clock.steadyMs(), perGo);
    if (isAny) await this.#ask(turns, signal);
    const isLearned = await this.#learner.turn(signal);
    return isAny || isLearned;
  }

  async #ask(turns: readonly Turn[], signal: AbortSignal): Promise<void> {
    const { storage, pools, store, clock } = this.#parts;
    const instances = turns.flatMap(({ address: id }) => this.#known.get(id) ?? []);
    const words = await askInstances(storage, pools, instances, signal);
    const nowMs = clock.nowMs();
    const book = new AddressBook(await store.addresses(), nowMs);
    const answered = new Map<string, Answered>();
    for (const instance of instances) {
      const { id, host } = instance;
      const word = words.get(id);
      if (word === undefined) continue;
      if (openHere(word, host, book).length === 0) continue;
      answered.set(id, { host, atMs: nowMs, images: [...word.images] });
      this.#learner.offer(host);
    }
    await store.note(answered);
    const trouble = [...words.values()].find((word) => word.trouble !== null)?.trouble ?? null;
    this.#tell(trouble);
    this.#rounds.asked(turns, new Set(answered.keys()), clock.steadyMs());
  }

  #tell(trouble: string | null): void {
    if (trouble !== null && !this.#isTroubleTold)
      this.#parts.log.warn(`disks of instances could not be asked: ${trouble}`);
    this.#isTroubleTold = trouble !== null;
  }

  /** An address is never learned from a host that is silent or suspicious: what is open there may be elsewhere. */
  #isWell(host: string, nowMs: number): boolean {
    const picture = this.#picture;
    if (picture === null || nowMs - picture.collectedAtMs > youngMs) return false;
    return picture.hypervisor(host)?.state === 'up' && isHeard(host, picture, nowMs, this.#parts.rules);
  }

  /** Who is to be asked now; those that left are forgotten. */
  async #readServers(): Promise<void> {
    const { inventory, store } = this.#parts;
    let known = new Map<string, Known>();
    await inventory.readThrough(() => {
      known = new Map();
      return (servers) => {
        for (const server of servers) add(known, server);
      };
    });
    this.#known = known;
    this.#rounds.replace('guest', new Set(known.keys()));
    const hosts = new Set([...known.values()].map(({ host }) => host));
    this.#learner.keep((host) => hosts.has(host));
    await store.prune((id) => known.has(id));
  }
}

function add(known: Map<string, Known>, server: Server): void {
  const { id, host, volumes } = server;
  if (host !== null && standingOf(server).tells === 'testifies') known.set(id, { id, host, volumes });
}
