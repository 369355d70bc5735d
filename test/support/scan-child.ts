// The program of scan-elsewhere.ts: reads an order, scans, writes what came of it and what it cost.
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { KernelNeighbours } from '../../src/ns4/scan/neighbours.ts';
import { IcmpOffenders } from '../../src/ns4/scan/offenders.ts';
import { scan } from '../../src/ns4/scan/scan.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import type { ScanOrder, ScanStory } from './scan-elsewhere.ts';

const order = JSON.parse(await text(process.stdin)) as ScanOrder;
for (const { address, port } of order.listeners ?? []) {
  const server = createServer((connection) => connection.on('error', () => connection.destroy()).resume());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The default backlog of 511 would drop SYNs of a thousand connects at once.
    server.listen({ host: address, port, backlog: 4_096 }, resolve);
  });
}

const log = pino({ level: 'silent' });
const files = () => readdirSync('/proc/self/fd').length;
const before = files();
const rssBefore = process.memoryUsage.rss();
let most = before;
let mostRss = rssBefore;
const meter = setInterval(() => {
  try {
    most = Math.max(most, files());
    mostRss = Math.max(mostRss, process.memoryUsage.rss());
  } catch {
    // No descriptor left to look with.
  }
}, 10);
const heard = new Set<string>();
const turns = monitorEventLoopDelay({ resolution: 1 });
turns.enable();
const startedAtMs = performance.now();
const result = await scan(
  order.request,
  { timeoutMs: 1_000, refusedMeans: 'alive', controls: [], ...order.settings },
  {
    ...(order.maxSockets === undefined ? {} : { maxSockets: order.maxSockets }),
    onHeard: (address) => heard.add(address),
    offenders: new IcmpOffenders(log),
    neighbours: new KernelNeighbours(systemClock),
  },
  systemClock,
  new AbortController().signal,
);
const tookMs = performance.now() - startedAtMs;
turns.disable();
clearInterval(meter);
// Accepted connections of our own listeners end a little later.
for (let waited = 0; files() > before && waited < 2_000; waited += 20) await delay(20);
const story: ScanStory = {
  result,
  heard: [...heard].sort(),
  tookMs,
  mostFiles: most - before,
  filesLeft: files() - before,
  longestTurnMs: turns.max / 1e6,
  rssGrowthMb: (mostRss - rssBefore) / 2 ** 20,
};
process.stdout.write(JSON.stringify(story), () => process.exit(0));
