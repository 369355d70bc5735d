// One API on a port of its own: receives, lets faults strike, answers. What is answered is the handler's business.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../src/shared/ground/errors.ts';
import { requestFaults } from '../faults/request-faults.ts';
import { type Answer, type ApiName, type Call, htmlPage } from './call.ts';
import type { FaultBook, FaultOrder } from './faults.ts';

/** A request as the simulator remembers it for assertions. */
export interface RecordedRequest {
  readonly api: ApiName;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly body: string;
  readonly atMs: number;
  /** Null while there is no answer, and for good when none was given. */
  status: number | null;
}

interface ServiceSpec {
  readonly api: ApiName;
  readonly handle: (call: Call) => Promise<Answer>;
  readonly faults: FaultBook;
  readonly record: (request: RecordedRequest) => void;
  /** The service's idea of the time, for the Date header; null: it sends none. */
  readonly now: (() => number) | null;
}

/** An HTTP server that can be stopped and started again on the same port. */
export class HttpService {
  readonly #spec: ServiceSpec;
  #server: Server | null = null;
  #port = 0;

  constructor(spec: ServiceSpec) {
    this.#spec = spec;
  }

  /** http://127.0.0.1:PORT, known once it was started. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A mistake of the simulator itself: shown to whoever looks at the answer, rather than a mute failure.
        if (response.headersSent || response.destroyed) return;
        this.#send(response, { status: 500, body: { simulatorBug: errorText(error) } }, false);
      });
    });
    server.keepAliveTimeout = 60_000;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** From now on connections are refused; open ones are cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    const call: Call = {
      api: this.#spec.api,
      method: request.method ?? 'GET',
      path: url.pathname.replace(/(?<=.)\/+$/, ''),
      url,
      query: url.searchParams,
      headers: request.headers,
      text: Buffer.concat(chunks).toString('utf8'),
      gone: gone.signal,
    };
    const recorded: RecordedRequest = {
      api: call.api,
      method: call.method,
      path: `${call.path}${url.search}`,
      body: call.text,
      atMs: Date.now(),
      status: null,
    };
    this.#spec.record(recorded);
    const fault = this.#spec.faults.take(call);
    const answer = await this.#suffer(call, fault, response);
    if (answer === null || response.destroyed) return;
    recorded.status = answer.status;
    this.#send(response, answer, fault?.kind === 'half-body');
  }

  /** The answer, bent by a fault; null when there is to be none. */
  async #suffer(call: Call, fault: FaultOrder | null, response: ServerResponse): Promise<Answer | null> {
    if (fault === null) return this.#spec.handle(call);
    if (fault.delayMs !== undefined) await delay(fault.delayMs);
    const { isCarriedOut, answer } = requestFaults[fault.kind];
    const truth = isCarriedOut ? await this.#spec.handle(call) : null;
    switch (answer) {
      case 'error':
        return errorAnswer(fault);
      case 'page':
        return pageAnswer(fault.status ?? 503);
      case 'nonsense':
        return { status: 200, body: 'this is no JSON {"servers": ][' };
      case 'closed':
        response.destroy();
        return null;
      default:
        return truth;
    }
  }

  #send(response: ServerResponse, answer: Answer, half: boolean): void {
    const text = typeof answer.body === 'object' ? JSON.stringify(answer.body) : (answer.body ?? '');
    const type = typeof answer.body === 'object' ? 'application/json' : 'text/html; charset=UTF-8';
    response.sendDate = false;
    response.writeHead(answer.status, {
      ...(this.#spec.now === null ? {} : { Date: new Date(this.#spec.now()).toUTCString() }),
      ...(answer.body === undefined ? {} : { 'Content-Type': type }),
      'Content-Length': String(Buffer.byteLength(text)),
      ...answer.headers,
    });
    if (!half) {
      response.end(text);
      return;
    }
    response.write(Buffer.from(text).subarray(0, Math.floor(text.length / 2)), () => response.destroy());
  }
}

function errorAnswer({ status = 500, headers }: FaultOrder): Answer {
  const message = 'Unexpected API Error. (ordered from the simulator)';
  const body = { computeFault: { code: status, message } };
  return headers === undefined ? { status, body } : { status, body, headers };
}

function pageAnswer(status: number): Answer {
  const text = 'The server is currently unavailable. Please try again at a later time.';
  return { status, body: htmlPage(status, 'Service Unavailable', text) };
}
