// The background scan: asks every address of the inventory once in five minutes, spread over that time, so that it is
// known who answers while all is well. Beside the work, within bounds of its own, and ended with the process.
import { externalAddresses } from '../../shared/documents/inventory.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import { type ScanOptions, scan } from '../scan/scan.ts';
import { socketBound } from '../scan/sockets.ts';
import type { HeardStore } from './heard.ts';
import { Rounds, slotsPerPass, type Turn } from './rounds.ts';

/** Every address has its turn once in this time; with too many mute ones for the sockets it takes longer. */
const passMs = 300_000;
const slotMs = passMs / slotsPerPass;
/** How often it is looked whether the inventory changed, and whose turn it is. */
const pauseMs = 1_000;
/** Nobody waits for these answers: whoever is slower is heard the next time. */
const mostTimeoutMs = 1_000;
/** Asked in one go; what is new waits no longer than such a go. */
const perGo = 2_048;
const mostSockets = 1_024;
/** To read all servers is work: it takes at most this part of the time. */
const readingShare = 0.1;

/** Its sockets, a quarter of all: the scans that somebody waits for have the others. */
export const backgroundSockets = (): number => Math.max(4, Math.min(mostSockets, socketBound() / 4) | 0);

interface BackgroundScanParts {
  readonly inventory: Pick<InventoryStore, 'versions' | 'read' | 'readThrough'>;
  readonly heard: Pick<HeardStore, 'note' | 'beginsAnew' | 'prune'>;
  /** What else hears besides TCP; see scan.ts. */
  readonly ears: Pick<ScanOptions, 'offenders' | 'neighbours'>;
  readonly scanning: {
    readonly timeoutMs: number;
    readonly refusedMeans: 'alive' | 'silent';
    readonly hypervisorPorts: readonly number[];
    readonly instancePorts: readonly number[];
  };
  readonly clock: Clock;
  readonly log: Log;
}

export class BackgroundScan {
  readonly #parts: BackgroundScanParts;
  readonly #rounds = new Rounds();
  readonly #read = { hosts: '', servers: '' };
  #readServersAgainAtMs = 0;
  #due: Turn[] = [];
  #nextSlotAtMs: number;
  #told = false;
  #running: Promise<void> | null = null;
  readonly #stop = new AbortController();

  constructor(parts: BackgroundScanParts) {
    this.#parts = parts;
    this.#nextSlotAtMs = parts.clock.steadyMs();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing of it goes on any more. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the background scan ends'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      const isBusy = await this.turn().catch((error) => {
        if (!this.#told && !signal.aborted)
          log.warn({ error: errorText(error) }, 'the background scan cannot go on for now');
        this.#told = true;
        return false;
      });
      if (!isBusy) await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** Looks for what is new, and asks whose turn it is; false when it is nobody's. */
  async turn(): Promise<boolean> {
    const { clock, heard } = this.#parts;
    await this.#look();
    const nowMs = clock.steadyMs();
    const isSlot = this.#due.length === 0 && nowMs >= this.#nextSlotAtMs;
    if (isSlot) {
      this.#nextSlotAtMs = Math.max(this.#nextSlotAtMs + slotMs, nowMs);
      // Redis lost it all: five minutes are too long to wait for the next pass.
      if (await heard.beginsAnew()) this.#rounds.beginAnew();
      this.#due = this.#rounds.nextSlot();
    }
    const fresh = this.#rounds.outOfTurn(nowMs, perGo);
    const turns = fresh.length > 0 ? fresh : this.#due.splice(0, perGo);
    if (turns.length > 0) await this.#ask(turns.filter(({ address }) => this.#rounds.has(address)));
    this.#told = false;
    return turns.length > 0;
  }

  async #ask(turns: readonly Turn[]): Promise<void> {
    const { scanning, ears, clock, heard } = this.#parts;
    const ports = { host: scanning.hypervisorPorts, guest: scanning.instancePorts };
    const targets = turns.map(({ address, kind }) => ({
      ...{ name: address, kind },
      endpoints: ports[kind].map((port) => ({ address, port })),
    }));
    const answered = new Set<string>();
    const settings = {
      timeoutMs: Math.min(scanning.timeoutMs, mostTimeoutMs),
      refusedMeans: scanning.refusedMeans,
      controls: [],
    };
    const options: ScanOptions = {
      ...ears,
      maxSockets: backgroundSockets(),
      onHeard: (address) => answered.add(address),
    };
    await scan({ targets, controls: [] }, settings, options, clock, this.#stop.signal);
    await heard.note([...answered], clock.nowMs());
    this.#rounds.asked(turns, answered, clock.steadyMs());
  }

  /** Reads what of the inventory was written since, and forgets what left it. */
  async #look(): Promise<void> {
    const { inventory, clock } = this.#parts;
    const versions = await inventory.versions();
    if (versions.hosts !== this.#read.hosts) {
      const picture = await inventory.read();
      const addresses = (picture?.hypervisors ?? []).flatMap(({ address }) => address ?? []);
      this.#rounds.replace('host', new Set(addresses));
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
    const { inventory, heard, clock } = this.#parts;
    let addresses = new Set<string>();
    await inventory.readThrough(() => {
      addresses = new Set();
      return (servers) => {
        for (const server of servers)
          for (const { address } of externalAddresses(server)) addresses.add(address);
      };
    });
    this.#rounds.replace('guest', addresses);
    await heard.prune((address) => this.#rounds.has(address), clock.nowMs());
  }
}
