// Whose turn it is in the background scan: addresses never asked before at once, every other one once a pass, spread
// over the pass by slots. Pure.

export type Kind = 'host' | 'guest';

/** An address to be asked. */
export interface Turn {
  readonly address: string;
  readonly kind: Kind;
}

/** Every address has its turn once in so many slots. */
export const slotsPerPass = 30;
/** One that is new and does not answer is asked again this often, at pauses of `againMs`: it may be booting. */
const triesWhenNew = 3;
const againMs = 10_000;

export class Rounds {
  readonly #known = new Map<string, Kind>();
  readonly #slots: readonly Set<string>[] = Array.from({ length: slotsPerPass }, () => new Set<string>());
  /** Addresses to be asked out of turn. */
  readonly #fresh = new Map<string, { tries: number; dueAtMs: number }>();
  #slot = 0;

  get size(): number {
    return this.#known.size;
  }

  has(address: string): boolean {
    return this.#known.has(address);
  }

  /** These are all addresses of the kind now. One that is a host's stays a host's. */
  replace(kind: Kind, addresses: ReadonlySet<string>): void {
    for (const [address, known] of this.#known)
      if (known === kind && !addresses.has(address)) this.#forget(address);
    for (const address of addresses) {
      const known = this.#known.get(address);
      if (known === undefined) {
        this.#slots[slotOf(address)]?.add(address);
        this.#fresh.set(address, { tries: 0, dueAtMs: Number.NEGATIVE_INFINITY });
      }
      if (known === undefined || kind === 'host') this.#known.set(address, kind);
    }
  }

  /** Everybody is asked at once, as if new. */
  beginAnew(): void {
    for (const address of this.#known.keys())
      this.#fresh.set(address, { tries: 0, dueAtMs: Number.NEGATIVE_INFINITY });
  }

  /** Up to `most` of those whose turn is before all others, hosts first. */
  outOfTurn(nowMs: number, most: number): Turn[] {
    const due: Record<Kind, Turn[]> = { host: [], guest: [] };
    for (const [address, { dueAtMs }] of this.#fresh) {
      const kind = this.#known.get(address) ?? 'guest';
      if (dueAtMs <= nowMs && due[kind].length < most) due[kind].push({ address, kind });
      if (due.host.length >= most) break;
    }
    return [...due.host, ...due.guest].slice(0, most);
  }

  /** Those of the next slot. */
  nextSlot(): Turn[] {
    const slot = this.#slots[this.#slot] ?? new Set();
    this.#slot = (this.#slot + 1) % slotsPerPass;
    return [...slot]
      .filter((address) => !this.#fresh.has(address))
      .map((address) => ({ address, kind: this.#known.get(address) ?? 'guest' }));
  }

  /** They were asked; `heard` are those that answered. */
  asked(turns: readonly Turn[], heard: ReadonlySet<string>, nowMs: number): void {
    for (const { address } of turns) {
      const fresh = this.#fresh.get(address);
      if (fresh === undefined) continue;
      fresh.tries += 1;
      fresh.dueAtMs = nowMs + againMs;
      if (heard.has(address) || fresh.tries >= triesWhenNew) this.#fresh.delete(address);
    }
  }

  #forget(address: string): void {
    this.#known.delete(address);
    this.#fresh.delete(address);
    this.#slots[slotOf(address)]?.delete(address);
  }
}

/** The same for an address each time, and about as many addresses for each slot. */
function slotOf(address: string): number {
  let hash = 0;
  for (let i = 0; i < address.length; i += 1) hash = (hash * 31 + address.charCodeAt(i)) >>> 0;
  return hash % slotsPerPass;
}
