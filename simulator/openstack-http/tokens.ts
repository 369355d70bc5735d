// Tokens: who holds a good one. Keystone issues and revokes; the other services ask it, and trust an answer for a
// while, so a revoked token stays good there a little longer and a Keystone outage shows late.
import { randomBytes } from 'node:crypto';
import type { HttpWorld } from './options.ts';

export interface Token {
  readonly id: string;
  readonly auditId: string;
  readonly methods: readonly string[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** What a service learns when it checks a token. */
type TokenVerdict = 'good' | 'bad' | 'keystone-away';

/** All tokens of one cloud. */
export class TokenBook {
  readonly #world: HttpWorld;
  readonly #tokens = new Map<string, Token>();
  readonly #trusted = new Map<string, number>();

  constructor(world: HttpWorld) {
    this.#world = world;
  }

  issue(methods: readonly string[]): Token {
    const issuedAtMs = this.#world.cloudNowMs;
    const token: Token = {
      id: `gAAAAA${randomBytes(90).toString('base64url')}`,
      auditId: randomBytes(16).toString('base64url'),
      methods,
      issuedAtMs,
      expiresAtMs: issuedAtMs + this.#world.settings.durations.tokenLifetimeMs,
    };
    this.#tokens.set(token.id, token);
    return token;
  }

  /** A token that is good in Keystone's own vantage points. */
  find(id: string): Token | null {
    const token = this.#tokens.get(id);
    return token !== undefined && token.expiresAtMs > this.#world.cloudNowMs ? token : null;
  }

  revoke(id: string): void {
    this.#tokens.delete(id);
  }

  /** Revokes every token there is, as a change of the password does. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  /** What another service makes of a token right now. */
  check(service: string, id: string): TokenVerdict {
    const key = `${service} ${id}`;
    if ((this.#trusted.get(key) ?? 0) > this.#world.cloudNowMs) return 'good';
    if (this.#world.stopped.has('keystone')) return 'keystone-away';
    const token = this.find(id);
    if (token === null) return 'bad';
    const trustedUntilMs = this.#world.cloudNowMs + this.#world.settings.durations.tokenCacheMs;
    this.#trusted.set(key, Math.min(trustedUntilMs, token.expiresAtMs));
    return 'good';
  }
}
