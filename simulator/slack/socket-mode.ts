// Socket Mode: greets a connected app, hands it envelopes one by one and waits for their acknowledgement. What is
// not acknowledged is sent again on the next connection, as Slack does with events.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EnvelopeKind } from './payloads.ts';
import { app } from './workspace.ts';

const goodbyeMs = 300;

interface Envelope {
  readonly id: string;
  readonly kind: EnvelopeKind;
  readonly payload: unknown;
  attempts: number;
  readonly acknowledged: (response: unknown) => void;
}

export class SocketMode {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #sockets = new Set<WebSocket>();
  /** Sent or to be sent, and not acknowledged yet; oldest first. */
  readonly #open = new Map<string, Envelope>();

  /** Connections that were greeted and are still there. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Takes over an HTTP upgrade. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (connection) => this.#greet(connection));
  }

  /**
   * Sends an envelope, at once or when an app connects. Resolves with the payload of its acknowledgement (null when
   * that had none).
   */
  send(kind: EnvelopeKind, payload: unknown): Promise<unknown> {
    return new Promise((acknowledged) => {
      const envelope: Envelope = { id: randomUUID(), kind, payload, attempts: 0, acknowledged };
      this.#open.set(envelope.id, envelope);
      const [socket] = this.#sockets;
      if (socket !== undefined) this.#deliver(socket, envelope);
    });
  }

  /** Sends a text to every connection, as it is. */
  sendRaw(text: string): void {
    for (const socket of this.#sockets) socket.send(text);
  }

  /** Cuts every connection; announced, Slack says `disconnect` first and lets the app close by itself. */
  drop(announced: boolean): void {
    for (const socket of this.#sockets) {
      if (announced) {
        socket.send(
          JSON.stringify({
            type: 'disconnect',
            reason: 'refresh_requested',
            debug_info: { host: 'simulated' },
          }),
        );
      } else {
        socket.terminate();
        this.#sockets.delete(socket);
      }
    }
  }

  /** Ends all connections, politely first: an app that is just stopping says goodbye a moment after it says so. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close(1001);
    for (let waited = 0; waited < goodbyeMs && this.#sockets.size > 0; waited += 10) await delay(10);
    this.drop(false);
    this.#server.close();
  }

  #greet(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => this.#acknowledge(String(data)));
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.#sockets.size,
        debug_info: { host: 'simulated', approximate_connection_time: 18_060 },
        connection_info: { app_id: app.id },
      }),
    );
    for (const envelope of this.#open.values()) this.#deliver(socket, envelope);
  }

  #deliver(socket: WebSocket, envelope: Envelope): void {
    const again = envelope.attempts > 0;
    socket.send(
      JSON.stringify({
        envelope_id: envelope.id,
        type: envelope.kind,
        payload: envelope.payload,
        accepts_response_payload: envelope.kind !== 'events_api',
        ...(envelope.kind === 'events_api'
          ? { retry_attempt: envelope.attempts, retry_reason: again ? 'timeout' : '' }
          : {}),
      }),
    );
    envelope.attempts += 1;
  }

  #acknowledge(text: string): void {
    const answer = JSON.parse(text) as { envelope_id?: string; payload?: unknown };
    const envelope = this.#open.get(answer.envelope_id ?? '');
    if (envelope === undefined) return;
    this.#open.delete(envelope.id);
    envelope.acknowledged(answer.payload ?? null);
  }
}
