// What a scan of 1,000 hosts × 3 ports costs, all silent, all open, all refused, beside nmap's time for the same.
// Run with: npx tsx bench/scan.ts   (needs root, or user namespaces; iptables; nmap if it is to be compared)
//
// All of it happens on loopback addresses inside a network namespace of its own, which the kernel removes with the last
// process in it: no packet leaves, and nothing of the machine's network is changed. Ends within five minutes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scan } from '../src/ns4/scan/scan.ts';
import { systemClock } from '../src/shared/ground/clock.ts';

const hostCount = 1_000;
const ports = [22, 111, 16_509];
const timeoutMs = 3_000;
const nmapLimitMs = 60_000;
const control = { address: '127.0.0.1', port: 222 };
/** Each kind of host has a network of its own: the packet filter drops one, only one has listeners. */
const kinds = { silent: '127.3', open: '127.4', refused: '127.5' } as const;
type Kind = keyof typeof kinds;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
  readonly idleRssMb: number;
  readonly sockets: number;
  readonly found: Record<string, number>;
}

const self = fileURLToPath(import.meta.url);
const node = [process.execPath, '--import', 'tsx', self];
const [role, kind] = process.argv.slice(2);
if (role === undefined) enterNamespace();
else if (role === 'inside') await compare();
else if (role === 'listen') await listen();
else if (role === 'scan') await measure(kind as Kind);

/** Starts this file again in a namespace of its own, or says why not. */
function enterNamespace(): void {
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const prepare = `ip link set lo up && iptables -A INPUT -d ${kinds.silent}.0.0/16 -j DROP`;
  // --kill-child: an interrupted benchmark leaves nothing running.
  const args = ['--net', '--fork', '--kill-child', ...asRoot, 'sh', '-ec', `${prepare}\nexec "$@"`, 'sh'];
  const { status, error } = spawnSync('unshare', [...args, ...node, 'inside'], {
    stdio: 'inherit',
    timeout: 300_000,
  });
  if (error || status !== 0) {
    process.stderr.write(
      `not done: ${error?.message ?? `ended with ${status}`}. This benchmark makes a network namespace with iptables in it, which needs root (Debian packages util-linux, iproute2, iptables).\n`,
    );
    process.exitCode = 2;
  }
}

async function compare(): Promise<void> {
  const listener = spawn(node[0] ?? '', [...node.slice(1), 'listen'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    listener.stdout.once('data', resolve);
    listener.once('exit', (code) => reject(new Error(`the listening process ended with ${code}`)));
  });
  const dir = mkdtempSync(join(tmpdir(), 'sonny-bench-'));
  try {
    print(`${hostCount} hosts x ports ${ports}, timeout ${timeoutMs / 1000} s, Node ${process.version}`);
    print(row('', 'wall', 'CPU', 'peak RSS', 'before', 'sockets', 'answers/silent/unknown', 'nmap'));
    for (const kind of Object.keys(kinds) as Kind[]) {
      const cost = await measured(kind);
      const list = join(dir, kind);
      writeFileSync(list, addresses(kind).join('\n'));
      const found = ['answers', 'silent', 'unknown'].map((state) => cost.found[state] ?? 0).join('/');
      print(
        row(
          kind,
          seconds(cost.wallMs),
          seconds(cost.cpuMs),
          `${Math.round(cost.peakRssMb)} MB`,
          `${Math.round(cost.idleRssMb)} MB`,
          String(cost.sockets),
          found,
          nmap(list),
        ),
      );
    }
  } finally {
    listener.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A process of its own for each kind, so that its peaks are its own. */
async function measured(kind: Kind): Promise<Cost> {
  const child = spawn(node[0] ?? '', [...node.slice(1), 'scan', kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  let most = 0;
  // Counted from outside, so as not to burden what is measured.
  const meter = setInterval(() => {
    try {
      most = Math.max(most, readdirSync(`/proc/${child.pid}/fd`).length);
    } catch {
      // It has just ended.
    }
  }, 20);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(meter);
  if (code !== 0) throw new Error(`the scan of ${kind} hosts ended with ${code}`);
  const { filesBefore, ...cost } = JSON.parse(output) as Omit<Cost, 'sockets'> & { filesBefore: number };
  return { ...cost, sockets: most - filesBefore };
}

async function measure(kind: Kind): Promise<void> {
  const targets = addresses(kind).map((address) => ({
    name: address,
    endpoints: ports.map((port) => ({ address, port })),
  }));
  const filesBefore = readdirSync('/proc/self/fd').length;
  const idleRssMb = process.memoryUsage.rss() / 2 ** 20;
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  const result = await scan(
    { targets, controls: [] },
    { timeoutMs, refusedMeans: 'alive', controls: [control] },
    {},
    systemClock,
    new AbortController().signal,
  );
  const wallMs = performance.now() - startedAtMs;
  const cpu = process.cpuUsage(before);
  if (result.outcome !== 'seen') throw new Error('the control did not answer');
  const found: Record<string, number> = {};
  for (const { state } of Object.values(result.targets)) found[state] = (found[state] ?? 0) + 1;
  process.stdout.write(
    JSON.stringify({
      wallMs,
      cpuMs: (cpu.user + cpu.system) / 1_000,
      peakRssMb: process.resourceUsage().maxRSS / 1_024,
      idleRssMb,
      found,
      filesBefore,
    }),
  );
}

/** All addresses of the open network, and the control, answer from a process of their own. */
async function listen(): Promise<void> {
  const endpoints = addresses('open').flatMap((host) => ports.map((port) => ({ host, port })));
  for (const { host, port } of [...endpoints, { host: control.address, port: control.port }]) {
    const server = createServer((connection) => connection.on('error', () => {}).resume());
    await new Promise<void>((resolve) => server.listen({ host, port, backlog: 16 }, resolve));
  }
  process.stdout.write('ready\n');
}

/** The same with nmap, as plain as it can be: connect(), no discovery, no names. */
function nmap(list: string): string {
  const startedAtMs = performance.now();
  const { error, status } = spawnSync('nmap', ['-sT', '-Pn', '-n', `-p${ports}`, '-iL', list], {
    stdio: 'ignore',
    timeout: nmapLimitMs,
    killSignal: 'SIGKILL',
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT') return `not done in ${nmapLimitMs / 1_000} s`;
  if (code === 'ENOENT') return 'not installed';
  return status === 0 ? seconds(performance.now() - startedAtMs) : `failed (${code ?? status})`;
}

function addresses(kind: Kind): string[] {
  // 127.3.1.1 … 127.3.4.250
  return Array.from(
    { length: hostCount },
    (_, i) => `${kinds[kind]}.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`,
  );
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function row(...cells: string[]): string {
  const widths = [8, 8, 8, 10, 8, 9, 24, 16];
  return cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('')
    .trimEnd();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
