// The HTTP side of the pretend Slack: receives Web API calls, lets troubles strike, hands upgrades to Socket Mode.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Arguments, Reply } from './web-api.ts';

/**
 * What befalls the next calls: `limited` 429 with Retry-After; `error` Slack's ok: false with this error; `status` an
 * HTTP status with an HTML page; `hang` no answer; `lost` done, but the connection breaks before the answer.
 */
export type SlackTrouble =
  | { readonly kind: 'limited'; readonly retryAfterS: number }
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'lost' };

interface Order {
  readonly trouble: SlackTrouble;
  readonly method: string | null;
  left: number;
}

/** A call as it is remembered for assertions. */
export interface SlackCall {
  readonly method: string;
  readonly args: Arguments;
  readonly atMs: number;
}

interface SlackHttpSpec {
  readonly call: (method: string, token: string, args: Arguments) => Reply;
  /** A post to a response_url. */
  readonly respond: (id: string, body: Readonly<Record<string, unknown>>) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Makes another reply of one that is about to leave. */
export type ReplyBend = (method: string, reply: Reply) => unknown;

export class SlackHttp {
  readonly calls: SlackCall[] = [];
  /** What befalls every reply; null: nothing. */
  bend: ReplyBend | null = null;
  readonly #spec: SlackHttpSpec;
  #orders: Order[] = [];
  #server: Server | null = null;
  #port = 0;
  readonly #sockets = new Set<Socket>();

  constructor(spec: SlackHttpSpec) {
    this.#spec = spec;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('upgrade', this.#spec.upgrade);
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Connections are refused from now on; open ones are cut, also those of Socket Mode. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Orders trouble for the next `times` calls, of one method if given. */
  order(trouble: SlackTrouble, times: number, method: string | null): void {
    this.#orders.push({ trouble, method, left: times });
  }

  calm(): void {
    this.#orders = [];
  }

  #trouble(method: string): SlackTrouble | null {
    const order = this.#orders.find((one) => one.left > 0 && (one.method ?? method) === method);
    if (order === undefined) return null;
    order.left -= 1;
    return order.trouble;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const path = new URL(request.url ?? '/', 'http://slack').pathname;
    if (path.startsWith('/response/')) {
      this.#spec.respond(path.slice('/response/'.length), JSON.parse(text) as Record<string, unknown>);
      response.end('ok');
      return;
    }
    const method = path.replace(/^\/api\//, '');
    const args = readArguments(request, text);
    this.calls.push({ method, args, atMs: Date.now() });
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? args.token ?? '';
    const trouble = this.#trouble(method);
    if (trouble?.kind === 'hang') return;
    if (trouble?.kind === 'limited') {
      const headers = { 'Retry-After': String(trouble.retryAfterS) };
      sendJson(response, 429, { ok: false, error: 'ratelimited' }, headers);
    } else if (trouble?.kind === 'error') {
      sendJson(response, 200, { ok: false, error: trouble.error });
    } else if (trouble?.kind === 'status') {
      response.writeHead(trouble.status, { 'Content-Type': 'text/html' });
      response.end('<html><body>Something went wrong</body></html>');
    } else {
      const reply = this.#spec.call(method, token, args);
      if (trouble?.kind === 'lost') response.destroy();
      else sendJson(response, 200, this.bend === null ? reply : this.bend(method, reply));
    }
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body) ?? '');
}

/** Slack takes forms and JSON; in a form, structures are JSON text, so both are brought to that. */
function readArguments(request: IncomingMessage, text: string): Arguments {
  if (!(request.headers['content-type'] ?? '').includes('json')) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  const body = JSON.parse(text) as Record<string, unknown>;
  const pairs = Object.entries(body).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(pairs) as Arguments;
}
