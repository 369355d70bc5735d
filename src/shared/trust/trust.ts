// Whom this process believes: seals what it writes, and judges the seals of what it reads. One for each process and
// cloud. Without a key nothing is sealed and everything is believed, as Redis alone is the root of trust then.
import { randomBytes } from 'node:crypto';
import type { Distrust } from '../documents/terms/distrust.ts';
import type { Clock } from '../ground/clock.ts';
import { Nonces } from './nonces.ts';
import { isSigned, type Key, openSeal, type Purpose, sealOf } from './seal.ts';

/** The keys of [REDIS] key_file. */
export interface Signing {
  /** The first one signs; each of them is believed, so that a key can be replaced without an outage. At least one. */
  readonly keys: readonly Key[];
  /** accept: while a key is being introduced, what bears no signature is taken as before, and told. */
  readonly unsigned: 'refuse' | 'accept';
}

interface TrustParts {
  readonly cloud: string;
  /** Null: no key file. */
  readonly signing: Signing | null;
  readonly clock: Pick<Clock, 'nowMs' | 'steadyMs'>;
  /** What was refused, or taken though it should not be: once per kind, and again when it goes on for an hour. */
  tell(what: Distrust): void;
}

/** How old a seal may be at most; absent: it counts for as long as the document stands, by whatever clock. */
export interface Limits {
  readonly mostAgeMs?: number;
}

/** Clocks of machines differ; docs/redis.md asks for NTP. */
export const clockMarginMs = 60_000;
const tellAgainMs = 3_600_000;
/** Of the name of a document. */
const mostShown = 100;

export class Trust {
  readonly #parts: TrustParts;
  readonly #taken = new Nonces();
  readonly #toldAtMs = new Map<string, number>();

  constructor(parts: TrustParts) {
    this.#parts = parts;
  }

  /** Does it sign, and demand signatures? */
  get signs(): boolean {
    return this.#parts.signing !== null;
  }

  /** The document with a seal; as it is without a key. */
  seal<T extends object>(purpose: Purpose, subject: string, document: T): T {
    const made = this.#sealed(purpose, subject, document);
    return made === null ? document : { ...document, seal: made.seal };
  }

  /** The same as text, which is written once however long it is. */
  text(purpose: Purpose, subject: string, document: object): string {
    const made = this.#sealed(purpose, subject, document);
    if (made === null) return JSON.stringify(document);
    const seal = `"seal":${JSON.stringify(made.seal)}}`;
    return made.text === '{}' ? `{${seal}` : `${made.text.slice(0, -1)},${seal}`;
  }

  #sealed(purpose: Purpose, subject: string, document: object) {
    const { signing, cloud, clock } = this.#parts;
    const key = signing?.keys[0];
    if (key === undefined) return null;
    const stamp = { atMs: clock.nowMs(), nonce: randomBytes(12).toString('base64url') };
    return sealOf(document, { cloud, purpose, subject }, stamp, key);
  }

  /**
   * Null: it may be believed. Otherwise why not, as words that follow its name; told once per kind. `document`: as it was
   * parsed, with its seal.
   */
  distrusts(purpose: Purpose, subject: string, document: unknown, limits: Limits = {}): Distrust | null {
    const why = this.#judge(purpose, subject, document, limits);
    return why === null ? null : this.refuse({ what: purpose, about: subject, why });
  }

  #judge(purpose: Purpose, subject: string, document: unknown, limits: Limits): Distrust['why'] | null {
    const { signing, cloud, clock } = this.#parts;
    if (signing === null) {
      if (isSigned(document)) this.refuse({ what: purpose, about: subject, why: 'no-key' });
      return null;
    }
    const found = openSeal(document, { cloud, purpose, subject }, signing.keys);
    if (found === 'unsigned' && signing.unsigned === 'accept') {
      this.refuse({ what: purpose, about: subject, why: 'accepted' });
      return null;
    }
    if (typeof found === 'string') return found;
    if (limits.mostAgeMs === undefined) return null;
    const ageMs = clock.nowMs() - found.seal.atMs;
    if (ageMs < -clockMarginMs) return 'future';
    if (ageMs > limits.mostAgeMs + clockMarginMs) return 'old';
    return this.#taken.has(found.seal.nonce) ? 'again' : null;
  }

  /** It is done: who puts it back is refused. For documents that were believed; see `distrusts`. */
  takeOnce(document: unknown, limits: Required<Limits>): void {
    const nonce = nonceOf(document);
    if (nonce === null || !this.signs) return;
    const nowMs = this.#parts.clock.nowMs();
    this.#taken.remember(nonce, nowMs + limits.mostAgeMs + 2 * clockMarginMs, nowMs);
  }

  /** Tells it, once per kind. */
  refuse(found: Distrust): Distrust {
    const { clock, tell } = this.#parts;
    const what = { ...found, about: plainly(found.about) };
    const kind = `${what.what} ${what.why}`;
    const nowMs = clock.steadyMs();
    if (nowMs - (this.#toldAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) >= tellAgainMs) {
      this.#toldAtMs.set(kind, nowMs);
      tell(what);
    }
    return what;
  }
}

/** Whoever wrote it may have chosen the name. */
const plainly = (name: string): string => name.slice(0, mostShown).replaceAll(/[^\w.:/{}-]/g, '?');

/** The nonce of a document's seal, which says nothing of whether that is right; null: it has none. */
export function nonceOf(document: unknown): string | null {
  if (!isSigned(document)) return null;
  const { seal } = document;
  return typeof seal === 'object' && seal !== null && 'nonce' in seal ? String(seal.nonce) : null;
}
