// Whom the pretend Ceph refuses: its monitors have an entry at once, and each OSD hears of it in its own time, which is
// when it counts. A barrier is what makes all of them know (measured: up to 4.4 s without one).
import type { WorldClock } from '../world/clock.ts';

/** So late an OSD hears of an entry by gossip, at most. */
const gossipMs = 4_000;
/** One that stood still has the newest map so soon. */
const catchUpMs = 1_000;

interface Entry {
  readonly address: string;
  readonly expiresAtMs: number;
  /** When each OSD hears of it. */
  readonly knownAtMs: number[];
}

export class Blocklist {
  /** OSDs that stand still, with when they began to. */
  readonly hung = new Map<number, number>();
  /** Counts the changes. */
  epoch = 1;
  readonly #clock: WorldClock;
  readonly #between: (least: number, most: number) => number;
  readonly #osds: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: WorldClock, between: (least: number, most: number) => number, osds: number) {
    this.#clock = clock;
    this.#between = between;
    this.#osds = osds;
  }

  get entries(): readonly Pick<Entry, 'address' | 'expiresAtMs'>[] {
    return [...this.#entries.values()].filter(({ expiresAtMs }) => expiresAtMs > this.#clock.nowMs);
  }

  /** Do the monitors have an entry of it? */
  isBlocked(address: string): boolean {
    return this.entries.some((entry) => entry.address === address);
  }

  /** The monitors agree on it now. */
  add(address: string, forMs: number): void {
    const { nowMs } = this.#clock;
    this.epoch += 1;
    const old = this.#entries.get(address);
    const knownAtMs =
      old?.knownAtMs ?? Array.from({ length: this.#osds }, () => nowMs + this.#between(0, gossipMs));
    this.#entries.set(address, { address, expiresAtMs: nowMs + forMs, knownAtMs });
  }

  remove(address: string): void {
    this.epoch += 1;
    this.#entries.delete(address);
  }

  /** All OSDs answer with the newest map. */
  passBarrier(): void {
    const { nowMs } = this.#clock;
    for (const { knownAtMs } of this.#entries.values())
      for (const [osd, knownMs] of knownAtMs.entries()) knownAtMs[osd] = Math.min(knownMs, nowMs);
  }

  /** An OSD stands still: what it did not hear of it does not hear. */
  hang(osd: number): void {
    this.hung.set(osd, this.hung.get(osd) ?? this.#clock.nowMs);
  }

  goOn(osd: number): void {
    const sinceMs = this.hung.get(osd);
    if (sinceMs === undefined) return;
    this.hung.delete(osd);
    const { nowMs } = this.#clock;
    for (const { knownAtMs } of this.#entries.values())
      if ((knownAtMs[osd] ?? 0) > sinceMs)
        knownAtMs[osd] = Math.max(knownAtMs[osd] ?? 0, nowMs + this.#between(0, catchUpMs));
  }

  /** Does this OSD refuse the address now? */
  isKnownTo(osd: number, address: string): boolean {
    const entry = this.#entries.get(address);
    const { nowMs } = this.#clock;
    if (entry === undefined || entry.expiresAtMs <= nowMs) return false;
    return (entry.knownAtMs[osd] ?? 0) <= (this.hung.get(osd) ?? nowMs);
  }

  isKnownToAll(address: string): boolean {
    return Array.from({ length: this.#osds }, (_, osd) => osd).every((osd) => this.isKnownTo(osd, address));
  }
}
