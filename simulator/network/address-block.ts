// Picks 127.X.*.* for one simulator, so that several can run on a machine at once: whoever holds the lock port of
// 127.X.0.1 owns the block.
import { createServer, type Server } from 'node:net';

const lockPort = 19_999;
const firstBlock = 64;
const lastBlock = 250;

/** A block of loopback addresses owned by this process until released. */
export interface AddressBlock {
  /** The X of 127.X.1.N (hypervisors) and 127.X.2.N and up (guests). */
  readonly number: number;
  release(): Promise<void>;
}

/** Takes the given block, or the first free one, beginning at a place that differs from process to process. */
export async function takeAddressBlock(wanted?: number): Promise<AddressBlock> {
  const span = lastBlock - firstBlock + 1;
  for (let tried = 0; tried < span; tried += 1) {
    const number = wanted ?? firstBlock + ((process.pid + tried) % span);
    const lock = await tryLock(`127.${number}.0.1`);
    if (lock !== null) return { number, release: () => new Promise((done) => lock.close(() => done())) };
    if (wanted !== undefined) break;
  }
  throw new Error(wanted === undefined ? 'no free block of loopback addresses' : `127.${wanted} is taken`);
}

function tryLock(address: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen({ host: address, port: lockPort }, () => {
      server.unref();
      resolve(server);
    });
  });
}
