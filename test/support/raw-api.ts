// Raw requests to a simulator's APIs, without any client in between: what is on the wire is what is asserted.
import type { Simulator } from '../../simulator/simulator.ts';

/** An answer as it came: `body` is parsed when it was JSON, else the text; `at` follows names and indexes into it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
  at<T = unknown>(...path: (string | number)[]): T;
}

/** Fields of a server of servers/detail. */
export interface RawServer {
  readonly id: string;
  readonly status: string;
  readonly locked: boolean;
  readonly host_status: string;
  readonly fault: { readonly code: number; readonly message: string };
  readonly 'OS-EXT-SRV-ATTR:host': string;
  readonly 'OS-EXT-STS:task_state': string | null;
}

/** Fields of a compute service. */
export interface RawService {
  readonly id: string;
  readonly state: string;
  readonly status: string;
  readonly updated_at: string;
}

/** A request with a token; `version` is the compute or placement microversion. */
export interface RawApi {
  nova(method: string, path: string, options?: { version?: string; body?: unknown }): Promise<RawAnswer>;
  neutron(method: string, path: string, body?: unknown): Promise<RawAnswer>;
  placement(method: string, path: string, body?: unknown): Promise<RawAnswer>;
  readonly token: string;
}

/** Any request. */
export async function rawFetch(url: string, init: RequestInit = {}): Promise<RawAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Stays text: HTML pages and empty bodies.
  }
  const at = <T>(...path: (string | number)[]): T =>
    path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], body) as T;
  return { status: response.status, headers: response.headers, text, body, at };
}

/** The body of a login by password. */
export function passwordLogin(name: string, password: string): object {
  const user = { name, domain: { name: 'Default' }, password };
  return {
    auth: {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: 'admin', domain: { name: 'Default' } } },
    },
  };
}

/** POST /v3/auth/tokens. */
export function logIn(simulator: Simulator, body: object): Promise<RawAnswer> {
  return rawFetch(`${simulator.url('keystone')}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Logs in and hands out the raw APIs. */
export async function openRawApi(simulator: Simulator): Promise<RawApi> {
  const { username, password } = simulator.settings;
  const login = await logIn(simulator, passwordLogin(username, password));
  const token = login.headers.get('x-subject-token') ?? '';
  const call = (url: string, method: string, headers: Record<string, string>, body: unknown) =>
    rawFetch(url, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    token,
    nova: (method, path, { version = '2.79', body } = {}) => {
      const headers = { 'OpenStack-API-Version': `compute ${version}` };
      return call(`${simulator.url('nova')}/v2.1${path}`, method, headers, body);
    },
    neutron: (method, path, body) => call(`${simulator.url('neutron')}/v2.0${path}`, method, {}, body),
    placement: (method, path, body) => {
      const headers = { 'OpenStack-API-Version': 'placement 1.28' };
      return call(`${simulator.url('placement')}${path}`, method, headers, body);
    },
  };
}

/** Asks until it fits; throws after `withinMs`. */
export async function until<T>(
  read: () => T | Promise<T>,
  fits: (value: T) => boolean,
  withinMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await read();
    if (fits(value)) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
