// What Nova, Neutron and Placement have in common before they look at a request: the token.
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Call, htmlPage } from './call.ts';
import type { HttpWorld } from './options.ts';
import type { TokenBook } from './tokens.ts';

export interface Gate {
  readonly world: HttpWorld;
  readonly tokens: TokenBook;
  /** Where Keystone is, for the WWW-Authenticate header. */
  readonly keystoneUrl: () => string;
}

/** Null when the caller may go on; otherwise the answer that ends the request. */
export async function admit(gate: Gate, call: Call): Promise<Answer | null> {
  const token = call.headers['x-auth-token'];
  if (typeof token !== 'string' || token === '') return unauthorized(gate.keystoneUrl());
  const verdict = gate.tokens.check(call.api, token);
  if (verdict === 'good') return null;
  if (verdict === 'bad') return unauthorized(gate.keystoneUrl());
  await delay(gate.world.settings.durations.keystoneAwayMs);
  return {
    status: 503,
    body: htmlPage(
      503,
      'Service Unavailable',
      'The server is currently unavailable. Please try again at a later time.<br /><br />\nThe Keystone service is temporarily unavailable.',
    ),
  };
}

/** The 401 every service gives alike. */
export function unauthorized(keystoneUrl: string): Answer {
  return {
    status: 401,
    body: {
      error: {
        code: 401,
        title: 'Unauthorized',
        message: 'The request you have made requires authentication.',
      },
    },
    headers: { 'WWW-Authenticate': `Keystone uri="${keystoneUrl}"` },
  };
}
