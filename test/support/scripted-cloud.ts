// An HTTP server that says exactly what a test tells it to, wrong things included: Keystone's login and Nova's version
// are answered by themselves, everything else by the script. A real server on loopback, as sockets are the matter.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudError } from '../../src/ns4/cloud/cloud.ts';
import type { CloudCredentials } from '../../src/ns4/credentials/cloud-credentials.ts';
import { type CloudClient, type CloudOptions, createCloud } from '../../src/ns4/openstack/client.ts';
import { type InstantClock, instantClock } from './instant-clock.ts';

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export type ScriptedAnswer =
  | {
      readonly status?: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly headers?: Record<string, string>;
    }
  /** Never answers. */
  | 'hang'
  /** Closes the connection once the request is in. */
  | 'reset'
  /** A head that promises more than comes. */
  | { readonly half: string; readonly status?: number };

/** Answers a request; `count` is how many with this method and path came before it. */
export type Script = (request: SeenRequest, count: number) => ScriptedAnswer | Promise<ScriptedAnswer>;

export interface ScriptedCloud {
  readonly credentials: CloudCredentials;
  readonly requests: SeenRequest[];
  /** Those the script answered: no logins, no questions for the version. */
  calls(): SeenRequest[];
  logins(): SeenRequest[];
  close(): Promise<void>;
}

export const password = 'correct-horse-battery';

export async function scriptedCloud(
  script: Script,
  options: { compute?: unknown; login?: Script; projectId?: string } = {},
): Promise<ScriptedCloud> {
  const requests: SeenRequest[] = [];
  const counts = new Map<string, number>();
  const server = createServer(async (incoming, response) => {
    const seen = await readRequest(incoming);
    requests.push(seen);
    const key = `${seen.method} ${seen.path}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    const own = isLogin(seen)
      ? (options.login ?? (() => grant(`token-${count + 1}`, base, 3_600_000, options.projectId)))
      : isVersion(seen)
        ? () => ({ json: options.compute ?? { version: { version: '2.93', min_version: '2.1' } } })
        : script;
    send(await own(seen, count), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests,
    calls: () => requests.filter((request) => !isLogin(request) && !isVersion(request)),
    logins: () => requests.filter(isLogin),
    credentials: {
      cloud: 'scripted',
      file: 'clouds.yaml',
      authUrl: `${base}/identity/v3`,
      login: {
        method: 'password',
        user: { name: 'sonny', domain: { id: 'default' } },
        project: { name: 'admin', domain: { id: 'default' } },
        password,
      },
      region: null,
      interface: 'public',
      tls: { ca: null, verify: true },
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Keystone's answer to a login, valid for `lifeMs`, with a catalogue that points to `base`. */
export function grant(
  token: string,
  base: string,
  lifeMs = 3_600_000,
  projectId = 'project',
): ScriptedAnswer {
  const service = (type: string, path: string) => ({
    type,
    endpoints: [{ interface: 'public', region_id: 'One', region: 'One', url: base + path }],
  });
  return {
    status: 201,
    headers: { 'x-subject-token': token },
    json: {
      token: {
        // An hour off, as the cloud's clock may be: only the difference counts.
        issued_at: new Date(Date.now() - 3_600_000).toISOString(),
        expires_at: new Date(Date.now() - 3_600_000 + lifeMs).toISOString(),
        user: { name: 'sonny' },
        project: { id: projectId, name: 'admin' },
        roles: [{ name: 'admin' }],
        catalog: [
          service('compute', '/compute/v2.1'),
          service('network', '/network/'),
          service('placement', '/placement'),
          service('identity', '/identity'),
        ],
      },
    },
  };
}

const isLogin = (request: SeenRequest): boolean => request.path === '/identity/v3/auth/tokens';
const isVersion = (request: SeenRequest): boolean => request.path === '/compute/v2.1/';

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const url = new URL(incoming.url ?? '/', 'http://scripted');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: text === '' ? null : JSON.parse(text),
  };
}

function send(answer: ScriptedAnswer, response: ServerResponse): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    response.socket?.destroy();
  } else if ('half' in answer) {
    response.writeHead(answer.status ?? 200, { 'content-length': answer.half.length + 100 });
    response.write(answer.half, () => response.socket?.destroy());
  } else {
    const text = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    response.writeHead(answer.status ?? 200, answer.headers);
    response.end(text);
  }
}

export interface ScriptedClient {
  readonly cloud: CloudClient;
  readonly server: ScriptedCloud;
  readonly clock: InstantClock;
  close(): Promise<void>;
}

/** A scripted cloud with a client of it, whose pauses end at once. */
export async function scriptedClient(
  script: Script,
  options: Partial<CloudOptions> = {},
  replaced: Parameters<typeof scriptedCloud>[1] = {},
): Promise<ScriptedClient> {
  const server = await scriptedCloud(script, replaced);
  const clock = instantClock();
  const cloud = createCloud(server.credentials, { clock, random: () => 1, timeoutMs: 2_000, ...options });
  const close = async (): Promise<void> => {
    await cloud.close();
    await server.close();
  };
  return { cloud, server, clock, close };
}

/** The CloudError that a call ends with. */
export async function cloudErrorOf(call: Promise<unknown>): Promise<CloudError> {
  const thrown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof CloudError) return thrown;
  throw new Error('the call did not end with a CloudError', { cause: thrown });
}
