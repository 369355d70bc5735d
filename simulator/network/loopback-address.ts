// One loopback address that can answer, refuse or fall truly silent, without root: see listener-thread.ts for how.
// Silence holds for the ports named here only; any other port of a loopback address is refused by the kernel.
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  acceptQueueLength,
  type ListenerOrder,
  type ListenerReply,
  listenerThreadSource,
} from './listener-thread.ts';

/**
 * answers: open ports accept, closed ones refuse. refuses: every port refuses (a machine that is up and serves
 * nothing). silent: no port gives any answer.
 */
export type Presence = 'answers' | 'refuses' | 'silent';

/** Ports of a machine: `open` accept; `closed` refuse while it lives and are silent when it does not. */
export interface PortSet {
  readonly open: readonly number[];
  readonly closed: readonly number[];
}

const fillDeadlineMs = 5_000;
/** On loopback a handshake is done within the connect call; so long without one is silence. */
const proofMs = 30;
/** In a row, before it is believed. */
const proofRounds = 2;

/** An address with a thread of its own. Changes are carried out one after another. */
export class LoopbackAddress {
  readonly address: string;
  readonly #ports: PortSet;
  readonly #flag = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Worker;
  #fillers: Socket[] = [];
  #presence: Presence = 'refuses';
  #wanted: Presence = 'refuses';
  #last: Promise<void> = Promise.resolve();

  constructor(address: string, ports: PortSet) {
    this.address = address;
    this.#ports = ports;
    this.#thread = new Worker(listenerThreadSource, {
      eval: true,
      workerData: { address, flag: this.#flag.buffer },
      // A thread that only accepts needs next to nothing; the defaults would cost far more per address.
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    });
    // An abandoned simulator must not keep a test process alive.
    this.#thread.unref();
  }

  /** Resolves when the address behaves as asked; a later call supersedes one that has not begun. */
  become(presence: Presence): Promise<void> {
    this.#wanted = presence;
    this.#last = this.#last.then(() => this.#change(this.#wanted));
    return this.#last;
  }

  /** Ends the thread and frees all ports. */
  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    this.#wake();
    await this.#thread.terminate();
  }

  async #change(presence: Presence): Promise<void> {
    if (presence === this.#presence) return;
    this.#wake();
    const { open, closed } = this.#ports;
    const ports = { answers: open, refuses: [], silent: [...open, ...closed] }[presence];
    await this.#order({ ports, block: presence === 'silent' });
    const prove = presence === 'silent' ? this.#fill : this.#drain;
    await Promise.all(ports.map((port) => prove.call(this, port)));
    this.#presence = presence;
  }

  #wake(): void {
    for (const filler of this.#fillers) filler.destroy();
    this.#fillers = [];
    Atomics.store(this.#flag, 0, 0);
    Atomics.notify(this.#flag, 0);
  }

  async #order(order: ListenerOrder): Promise<void> {
    const answer = once(this.#thread, 'message') as Promise<[ListenerReply]>;
    this.#thread.postMessage(order);
    const [reply] = await answer;
    if (!reply.done) throw new Error(`${this.address}: ${reply.why}`);
  }

  /**
   * Waits until a port takes connections: a woken thread has to empty its queue first, and SYNs are dropped till then.
   */
  async #drain(port: number): Promise<void> {
    const deadline = performance.now() + fillDeadlineMs;
    while (performance.now() < deadline) if (await connects(this.address, port)) return;
    throw new Error(`${this.address}:${port} does not answer although its thread runs`);
  }

  /** Fills the accept queue of a blocked port, and proves that further connections get no answer. */
  async #fill(port: number): Promise<void> {
    const deadline = performance.now() + fillDeadlineMs;
    let quietRounds = 0;
    while (quietRounds < proofRounds) {
      if (performance.now() > deadline) {
        throw new Error(`${this.address}:${port} still answers although its thread is blocked`);
      }
      // How many fit is not counted: a connection of somebody else may be in the queue already.
      const offers = Array.from({ length: acceptQueueLength }, () => this.#offer(port));
      await delay(proofMs);
      // Whatever came in while this thread was busy is seen by then.
      await nextTurn();
      quietRounds = offers.every((socket) => socket.connecting) ? quietRounds + 1 : 0;
    }
  }

  #offer(port: number): Socket {
    const socket = createConnection({ host: this.address, port });
    socket.on('error', () => undefined);
    socket.unref();
    this.#fillers.push(socket);
    return socket;
  }
}

function connects(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port });
    const done = (connected: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(connected);
    };
    // Well below the second after which Linux would send the SYN again.
    const timer = setTimeout(() => done(false), proofMs);
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });
}
