// One HTTP request and its whole answer, over undici. It knows nothing of OpenStack; what it must get right is whether
// a request that failed had left: everything the client says about a lost change rests on `sent`.
import { Agent } from 'undici';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import { ClockSkew } from './clock-skew.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** For all of it: connecting, sending, waiting, and the last byte of the answer. */
  readonly timeoutMs: number;
  /** A change: it gets a connection of its own, as an old one may close under it and leave its outcome unknown. */
  readonly change: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; of repeated ones the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** There is no (whole) answer. `sent`: at least a part of the request may have reached the server. */
export class NoAnswer extends Error {
  readonly sent: boolean;
  constructor(sent: boolean, message: string) {
    super(message);
    this.name = 'NoAnswer';
    this.sent = sent;
  }
}

interface TransportOptions {
  /** Certificates (PEM) to trust instead of the system's; null: the system's. */
  readonly ca: string | null;
  readonly verify: boolean;
  /** Our own certificate and its key (PEM), for servers that ask for one. */
  readonly client?: { readonly cert: string; readonly key: string };
  readonly maxBodyBytes: number;
  /** Connections per service that reads share. */
  readonly connections: number;
}

export class Transport {
  readonly skew = new ClockSkew();
  readonly #reads: Agent;
  readonly #changes: Agent;
  readonly #maxBodyBytes: number;
  readonly #clock: Clock;

  constructor(options: TransportOptions, clock: Clock) {
    // undici's own timeouts are coarse and cover parts; ours covers the whole exchange.
    const common = {
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: {
        timeout: 15_000,
        rejectUnauthorized: options.verify,
        ...(options.ca && { ca: options.ca }),
        ...options.client,
      },
    };
    this.#reads = new Agent({ ...common, connections: options.connections });
    // pipelining 0 is undici's word for "no keep-alive".
    this.#changes = new Agent({ ...common, pipelining: 0 });
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#clock = clock;
  }

  /** Closes all connections; what is under way fails. */
  async close(): Promise<void> {
    await Promise.all([this.#reads.destroy(), this.#changes.destroy()]);
  }

  /**
   * Sends one request, once. Redirects are answers like any other.
   * @throws NoAnswer on timeout, abort, lost connections, an answer that is too large or was cut off. Only an answer
   * cut off after a 4xx status counts as an answer: the refusal stands, whatever its words were.
   */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let sent = false;
      let over = false;
      let abortSending: ((reason: Error) => void) | null = null;
      let answer: { status: number; headers: Record<string, string> } | null = null;
      const chunks: Buffer[] = [];
      let size = 0;
      const sentAtMs = this.#clock.nowMs();

      const end = (failure: Error | null): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        const refused = answer !== null && answer.status >= 400 && answer.status < 500;
        if (answer !== null && (failure === null || refused)) {
          resolve({ ...answer, text: Buffer.concat(chunks).toString('utf8') });
        } else {
          reject(new NoAnswer(sent, errorText(failure ?? new Error('no answer'))));
        }
        // Not sent yet: undici keeps it queued, and onRequestStart below makes sure that it never leaves.
        if (failure !== null) abortSending?.(failure);
      };
      const timer = setTimeout(
        () => end(new Error(`no answer within ${request.timeoutMs} ms`)),
        request.timeoutMs,
      );
      const onAbort = (): void => end(new Error(stoppedBy(signal)));
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort);

      const agent = request.change ? this.#changes : this.#reads;
      try {
        agent.dispatch(
          {
            origin: request.url.origin,
            path: request.url.pathname + request.url.search,
            method: request.method,
            headers: { ...request.headers },
            body: request.body,
          },
          {
            // Called when a connection stands, right before the first byte is written to it.
            onRequestStart: (controller) => {
              if (over) return controller.abort(new Error('given up before it was sent'));
              sent = true;
              abortSending = (reason) => controller.abort(reason);
            },
            onResponseStart: (_controller, status, headers) => {
              answer = { status, headers: firstValues(headers) };
              const date = answer.headers.date;
              if (date) this.skew.observe(date, sentAtMs, this.#clock.nowMs());
            },
            onResponseData: (_controller, chunk) => {
              size += chunk.length;
              if (size > this.#maxBodyBytes)
                end(new Error(`the answer is larger than ${this.#maxBodyBytes} bytes`));
              else chunks.push(chunk);
            },
            onResponseEnd: () => end(null),
            onResponseError: (_controller, error) => end(error),
          },
        );
      } catch (error) {
        end(error as Error);
      }
    });
  }
}

function firstValues(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const first: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined) first[name.toLowerCase()] = text;
  }
  return first;
}

/** Why nobody waits any longer, as far as whoever stopped it said so. */
function stoppedBy({ reason }: AbortSignal): string {
  return reason instanceof Error && reason.name !== 'AbortError' ? `stopped: ${reason.message}` : 'stopped';
}
