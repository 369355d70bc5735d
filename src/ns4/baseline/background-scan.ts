// The background scan: asks every address of the inventory once in five minutes, spread over that time, so that it is
// known who answers while all is well. Beside the work, within bounds of its own, and ended with the process.
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { HeartbeatRules } from '../../shared/rules/senses/heartbeat.ts';
import { type ScanOptions, scan } from '../scan/scan.ts';
import { socketBound } from '../scan/sockets.ts';
import { Background } from './background.ts';
import type { HeardStore } from './heard.ts';
import { InventoryNews } from './inventory-news.ts';
import { MuteWatch, newlyMute } from './mute-watch.ts';
import { Places } from './places.ts';
import { Rounds, type Turn } from './rounds.ts';
import { Turns } from './turns.ts';

/** Nobody waits for these answers: whoever is slower is heard the next time. */
const mostTimeoutMs = 1_000;
/** Asked in one go; what is new waits no longer than such a go. */
const perGo = 2_048;
const mostSockets = 1_024;
/** All servers are read for an address that is not known: no more often, whoever asks. */
const learnAgainMs = 2_000;

/** Its sockets, a quarter of all: the scans that somebody waits for have the others. */
export const backgroundSockets = (): number => Math.max(4, Math.min(mostSockets, socketBound() / 4) | 0);

interface BackgroundScanParts {
  readonly inventory: Pick<InventoryStore, 'versions' | 'read' | 'readThrough'>;
  readonly heard: Pick<HeardStore, 'note' | 'noteMute' | 'lastHeard' | 'beginsAnew' | 'prune'>;
  /** What else hears besides TCP; see scan.ts. */
  readonly ears: Pick<ScanOptions, 'offenders' | 'neighbours'>;
  readonly scanning: {
    readonly timeoutMs: number;
    readonly refusedMeans: 'alive' | 'silent';
    readonly hypervisorPorts: readonly number[];
    readonly instancePorts: readonly number[];
  };
  readonly rules: HeartbeatRules;
  readonly clock: Clock;
  readonly log: Log;
}

export class BackgroundScan {
  readonly #parts: BackgroundScanParts;
  readonly #rounds = new Rounds();
  readonly #turns: Turns;
  readonly #news: InventoryNews;
  readonly #background: Background;
  readonly #muteWatch: MuteWatch;
  /** Of the addresses of guests. */
  #places = new Places(Number.NEGATIVE_INFINITY);
  #learning: Promise<void> | null = null;
  #learnAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: BackgroundScanParts) {
    const { inventory, clock, log } = parts;
    this.#parts = parts;
    this.#turns = new Turns(this.#rounds, clock.steadyMs());
    this.#muteWatch = new MuteWatch(parts.rules);
    this.#news = new InventoryNews({
      ...{ inventory, clock },
      onHosts: (picture) => this.#showHosts(picture),
      onServers: () => this.#readServers(),
    });
    this.#background = new Background({
      ...{ clock, log, trouble: 'the background scan cannot go on for now' },
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

  /** Which of these addresses are nobody's in the inventory, as it is now. Rejects as the store does. */
  async strangersAmong(addresses: readonly string[]): Promise<ReadonlySet<string>> {
    const strangers = () => new Set(addresses.filter((address) => !this.#rounds.has(address)));
    if (strangers().size > 0) await this.#learnAgain();
    return strangers();
  }

  /** What was written a moment ago may not have been read yet. */
  async #learnAgain(): Promise<void> {
    const { clock, inventory } = this.#parts;
    if (clock.steadyMs() < this.#learnAgainAtMs) return;
    this.#learning ??= (async () => {
      this.#showHosts(await inventory.read());
      await this.#readServers();
      this.#learnAgainAtMs = clock.steadyMs() + learnAgainMs;
    })().finally(() => {
      this.#learning = null;
    });
    await this.#learning;
  }

  /** Looks for what is new, and asks whose turn it is; false when it is nobody's. */
  turn(): Promise<boolean> {
    return this.#background.turn();
  }

  async #turn(signal: AbortSignal): Promise<boolean> {
    const { clock, heard } = this.#parts;
    await this.#news.look();
    const nowMs = clock.steadyMs();
    // Redis lost it all: five minutes are too long to wait for the next pass.
    if (this.#turns.isSlotDue(nowMs) && (await heard.beginsAnew())) this.#rounds.beginAnew();
    const { isAny, turns } = this.#turns.next(nowMs, perGo);
    if (isAny) await this.#ask(turns, signal);
    return isAny;
  }

  #showHosts(picture: Picture | null): void {
    const addresses = (picture?.hypervisors ?? []).flatMap(({ address }) => address ?? []);
    this.#rounds.replace('host', new Set(addresses));
    if (picture !== null) this.#muteWatch.showHosts(picture);
  }

  async #ask(turns: readonly Turn[], signal: AbortSignal): Promise<void> {
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
    const seen = await scan({ targets, controls: [] }, settings, options, clock, signal);
    const guests = turns.filter(({ kind }) => kind === 'guest').map(({ address }) => address);
    const whose = new Map<string, string | null>([...answered].map((address) => [address, null]));
    for (const address of guests)
      if (answered.has(address)) whose.set(address, this.#places.of(address)?.id ?? null);
    const nowMs = clock.nowMs();
    await heard.note(whose, nowMs);
    const moment = { nowMs, steadyMs: clock.steadyMs() };
    // The scanner's own trouble is nobody's silence.
    const told = guests.filter((address) => seen.targets[address]?.state !== 'unknown');
    const mute = this.#muteWatch.asked(told, answered, this.#places, moment);
    await heard.noteMute(newlyMute(mute, await heard.lastHeard([...mute.keys()]), nowMs));
    this.#rounds.asked(turns, answered, clock.steadyMs());
  }

  /** Whose addresses are to be asked now; those that left are forgotten. */
  async #readServers(): Promise<void> {
    const { inventory, heard, clock } = this.#parts;
    let places = this.#places;
    await inventory.readThrough((picture) => {
      places = new Places(picture.serversCollectedAtMs ?? Number.NEGATIVE_INFINITY);
      return (servers) => places.add(servers);
    });
    this.#places = places;
    this.#rounds.replace('guest', places.addresses);
    const isWanted = (address: string) => this.#rounds.has(address);
    this.#muteWatch.keep(isWanted);
    await heard.prune(isWanted, clock.nowMs());
  }
}
