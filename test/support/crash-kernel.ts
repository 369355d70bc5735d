// A host that crashed, on loopback: a stand-in for the agent fence_kdump that listens on real UDP by the same protocol,
// and what a crash kernel sends to it (fence_kdump_send: two words in its byte order, magic and version, each ten seconds).
import { createSocket } from 'node:dgram';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { DeviceLevel } from '../../src/ns4/fencing/plan.ts';

const magic = 0x1b302a40;

export class CrashKernel {
  readonly port: number;
  readonly #program: string;
  #sending: NodeJS.Timeout | null = null;
  readonly #socket = createSocket('udp4');

  /** `program`: null for the stand-in, made in `dir`. */
  static async at(dir: string, program: string | null = null): Promise<CrashKernel> {
    return new CrashKernel(dir, await freePort(), program);
  }

  private constructor(dir: string, port: number, program: string | null) {
    this.port = port;
    mkdirSync(dir, { recursive: true });
    this.#program = program ?? join(dir, 'fence_kdump');
    if (program === null) writeFileSync(this.#program, standIn, { mode: 0o755 });
  }

  /** Reports until `stop`: as one that dumps; with other bytes as one that is none. */
  report(message: Buffer = crashMessage()): void {
    this.#sending ??= setInterval(() => this.#socket.send(message, this.port, '127.0.0.1'), 50);
  }

  stop(): void {
    if (this.#sending !== null) clearInterval(this.#sending);
    this.#sending = null;
  }

  close(): void {
    this.stop();
    this.#socket.close();
  }

  /** As level 1. */
  level(timeoutS = 1): DeviceLevel {
    const options = { nodename: '127.0.0.1', ipport: String(this.port), timeout: String(timeoutS) };
    return { number: 1, devices: [{ agent: 'fence_kdump', program: this.#program, options }] };
  }
}

export function crashMessage(version = 1): Buffer {
  const message = Buffer.alloc(8);
  message.writeUInt32LE(magic, 0);
  message.writeUInt32LE(version, 4);
  return message;
}

/** One of TCP's, which the same number of UDP is likely to be as well. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const standIn = `#!${process.execPath}
const options = Object.fromEntries(
  require('node:fs').readFileSync(0, 'utf8').split('\\n').filter(Boolean).map((line) => line.split('=', 2)));
if (options.action !== 'off') { console.error("[error]: unsupported action '" + options.action + "'"); process.exit(1); }
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (message, { address }) => {
  if (address !== options.nodename || message.length < 8) return;
  if (message.readUInt32LE(0) !== ${magic} || message.readUInt32LE(4) !== 1) return;
  console.log("[debug]: received valid message from '" + address + "'");
  process.exit(0);
});
socket.bind(Number(options.ipport));
setTimeout(() => { console.log('[debug]: timeout'); process.exit(1); }, options.timeout * 1000);
`;
