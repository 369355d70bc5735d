// Socket Mode: one connection, its events acknowledged and handed on. Reconnections of Slack's client are switched off:
// its retries of a lost connection grow without a cap, and a failure among them is an unhandled rejection.
import { type Logger, SocketModeClient } from '@slack/socket-mode';
import type { WebClientOptions } from '@slack/web-api';
import type { Dispatcher } from 'undici';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { MessageEvent } from '../talk/mentions.ts';
import { readEnvelope } from './envelopes.ts';
import type { Line } from './listening.ts';

interface SocketParts {
  readonly appToken: string;
  /** Null: no proxy. */
  readonly dispatcher: Dispatcher | null;
  readonly clientOptions: WebClientOptions;
  readonly logger: Logger;
  readonly log: Log;
  onEvent(event: MessageEvent): void;
}

/** From asking for a connection to Slack's hello. */
const openTimeoutMs = 20_000;

/** Opens a connection; throws what Slack's client throws when it does not come about in time. */
export async function openSocket(parts: SocketParts): Promise<Line> {
  const client = new CheckedClient(parts);
  const closed = new Promise<{ announced: boolean }>((resolve) => {
    client.on('disconnected', () => resolve({ announced: client.announced }));
  });
  const close = () => void client.disconnect().catch(() => {});
  try {
    await within(openTimeoutMs, client.start());
  } catch (error) {
    close();
    // It rejects with nothing at all when the connection ends before Slack's hello.
    throw error ?? new Error('the connection was closed before it was open');
  }
  return { closed, close };
}

/**
 * Slack's client that gets to see nothing but what was understood: it reads fields of each message unseen, and an
 * exception there would end the process, again and again, as Slack sends again what was not acknowledged.
 */
class CheckedClient extends SocketModeClient {
  /** Slack has asked for a fresh connection. */
  announced = false;
  readonly #parts: SocketParts;

  constructor(parts: SocketParts) {
    super({
      appToken: parts.appToken,
      autoReconnectEnabled: false,
      ...(parts.dispatcher === null ? {} : { dispatcher: parts.dispatcher }),
      clientOptions: parts.clientOptions,
      logger: parts.logger,
    });
    this.#parts = parts;
  }

  protected override async onWebSocketMessage(data: string | ArrayBuffer, isBinary: boolean): Promise<void> {
    const { log, onEvent } = this.#parts;
    try {
      const envelope = readEnvelope(isBinary || typeof data !== 'string' ? '' : data);
      if (envelope.kind === 'odd') return log.debug(`Slack sent ${envelope.why}`);
      if (envelope.kind === 'disconnect') this.announced = true;
      if (envelope.kind !== 'event') return await this.#pass({ type: envelope.kind });
      log.debug({ envelope: envelope.id }, `Slack sent ${envelope.what}`);
      await this.#acknowledge(envelope.id);
      if (envelope.event !== null) onEvent(envelope.event);
    } catch (error) {
      log.error(`a message of Slack was not understood: ${errorText(error)}`);
    }
  }

  /** Acknowledged by the client, which alone can send: it makes the means to for every message that it is given. */
  async #acknowledge(id: string): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => {
      this.once('slack_event', ({ ack }: { ack: () => Promise<void> }) => {
        // On a connection that is just lost; Slack sends it again on the next.
        ack()
          .catch(() => {})
          .finally(resolve);
      });
    });
    await this.#pass({ type: 'checked', envelope_id: id });
    await acknowledged;
  }

  #pass(message: { readonly type: string; readonly envelope_id?: string }): Promise<void> {
    return super.onWebSocketMessage(JSON.stringify(message), false);
  }
}

async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
