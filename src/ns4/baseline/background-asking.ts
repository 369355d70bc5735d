// The background round over disks: every running instance is asked once in five minutes, spread over that time, so that
// it is known whose disks answer while all is well. Beside it the addresses are learned from which hypervisors open them.
import type { Server } from '../../shared/documents/inventory.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
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
import { AddressLearner } from './learn-addresses.ts';
import { Rounds, slotsPerPass, type Turn } from './rounds.ts';

const passMs = 300_000;
const slotMs = passMs / slotsPerPass;
const pauseMs = 1_000;
/** Asked in one go. */
const perGo = 256;
/** To read all servers is work: it takes at most this part of the time. */
const readingShare = 0.1;
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
  readonly #learner: AddressLearner;
  readonly #read = { hosts: '', servers: '' };
  #known: ReadonlyMap<string, Known> = new Map();
  #picture: Picture | null = null;
  #readServersAgainAtMs = 0;
  #due: Turn[] = [];
  #nextSlotAtMs: number;
  #told = false;
  #running: Promise<void> | null = null;
  readonly #stop = new AbortController();

  constructor(parts: BackgroundAskingParts) {
    this.#parts = parts;
    this.#learner = new AddressLearner({ ...parts, isWell: (host, nowMs) => this.#isWell(host, nowMs) });
    this.#nextSlotAtMs = parts.clock.steadyMs();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing of it goes on any more. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the background round over disks ends'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      const isBusy = await this.turn().catch((error) => {
        if (!this.#told && !signal.aborted)
          log.warn({ error: errorText(error) }, 'the disks of instances cannot be asked for now');
        this.#told = true;
        return false;
      });
      if (!isBusy) await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** Looks for what is new, and asks whose turn it is; false when it is nobody's. */
  async turn(): Promise<boolean> {
    const { clock } = this.#parts;
    await this.#look();
    const nowMs = clock.steadyMs();
    if (this.#due.length === 0 && nowMs >= this.#nextSlotAtMs) {
      this.#nextSlotAtMs = Math.max(this.#nextSlotAtMs + slotMs, nowMs);
      this.#due = this.#rounds.nextSlot();
    }
    const fresh = this.#rounds.outOfTurn(nowMs, perGo);
    const turns = fresh.length > 0 ? fresh : this.#due.splice(0, perGo);
    if (turns.length > 0) await this.#ask(turns);
    const learned = await this.#learner.turn(this.#stop.signal);
    return turns.length > 0 || learned;
  }

  async #ask(turns: readonly Turn[]): Promise<void> {
    const { storage, pools, store, clock } = this.#parts;
    const instances = turns.flatMap(({ address: id }) => this.#known.get(id) ?? []);
    const words = await askInstances(storage, pools, instances, this.#stop.signal);
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
    if (trouble !== null && !this.#told)
      this.#parts.log.warn(`disks of instances could not be asked: ${trouble}`);
    this.#told = trouble !== null;
  }

  /** An address is never learned from a host that is silent or suspicious: what is open there may be elsewhere. */
  #isWell(host: string, nowMs: number): boolean {
    const picture = this.#picture;
    if (picture === null || nowMs - picture.collectedAtMs > youngMs) return false;
    return picture.hypervisor(host)?.state === 'up' && isHeard(host, picture, nowMs, this.#parts.rules);
  }

  /** Reads what of the inventory was written since, and forgets what left it. */
  async #look(): Promise<void> {
    const { inventory, clock } = this.#parts;
    const versions = await inventory.versions();
    if (versions.hosts !== this.#read.hosts) {
      this.#picture = await inventory.read();
      this.#read.hosts = versions.hosts;
    }
    if (versions.servers === this.#read.servers || clock.steadyMs() < this.#readServersAgainAtMs) return;
    const beganMs = clock.steadyMs();
    await this.#readServers();
    this.#read.servers = versions.servers;
    const nowMs = clock.steadyMs();
    this.#readServersAgainAtMs = nowMs + (nowMs - beganMs) / readingShare;
  }

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
