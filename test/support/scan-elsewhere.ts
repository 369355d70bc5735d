// Runs a scan in a process of its own: under a limit of open files, or in a network namespace of its own, whose
// addresses, routes and packet filter nobody else sees and which the kernel removes with its last process.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ScanRequest } from '../../src/ns4/scan/scan.ts';
import type { ScanSettings } from '../../src/shared/config/settings.ts';
import type { Endpoint, ScanResult } from '../../src/shared/documents/jobs/scan.ts';

/** What the process is told on its standard input. */
export interface ScanOrder {
  readonly request: ScanRequest;
  readonly settings?: Partial<ScanSettings>;
  readonly maxSockets?: number;
  /** Opened before the scan. Address 0.0.0.0: every IPv4 address of the namespace. */
  readonly listeners?: readonly Endpoint[];
}

/** What it writes on its standard output. */
export interface ScanStory {
  readonly result: ScanResult & { ok: true };
  /** The addresses that answered, as the baseline is told of them; sorted. */
  readonly heard: readonly string[];
  readonly tookMs: number;
  /** Descriptors more than before the scan: at most, and after it. */
  readonly mostFiles: number;
  readonly filesLeft: number;
  /** The longest time the event loop was held up. */
  readonly longestTurnMs: number;
  readonly rssGrowthMb: number;
}

const child = fileURLToPath(new URL('./scan-child.ts', import.meta.url));
const namespace = ['unshare', '--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];

/** Why no namespace with a packet filter can be made here (missing rights or programs); null: it can. */
export function whyNoNamespace(): string | null {
  const [program = '', ...args] = namespace;
  const probe = spawnSync(program, [...args, 'sh', '-c', 'ip link set lo up && iptables -L -n'], {
    encoding: 'utf8',
  });
  if (probe.status === 0) return null;
  return `no network namespace with iptables: ${probe.error?.message ?? probe.stderr.trim()}`;
}

/** Scans in a namespace of its own after these shell commands ("ip link set lo up"). */
export function scanInNamespace(commands: readonly string[], order: ScanOrder): Promise<ScanStory> {
  return run([...namespace, 'sh', '-ec', `${commands.join('\n')}\nexec "$@"`, 'sh'], order);
}

/** Scans with at most so many open files. */
export function scanWithFiles(files: number, order: ScanOrder): Promise<ScanStory> {
  return run(['prlimit', `--nofile=${files}:${files}`], order);
}

async function run(wrapper: readonly string[], order: ScanOrder): Promise<ScanStory> {
  const [program = '', ...args] = [...wrapper, process.execPath, '--import', 'tsx', child];
  const started = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 30_000 });
  let output = '';
  let trouble = '';
  started.stdout.on('data', (chunk) => {
    output += chunk;
  });
  started.stderr.on('data', (chunk) => {
    trouble += chunk;
  });
  // Ended before it read its order: its exit code tells.
  started.stdin.on('error', () => undefined);
  started.stdin.end(JSON.stringify(order));
  const code = await new Promise((resolve, reject) => {
    started.once('error', (error) =>
      reject(new Error(`${program} (Debian package util-linux): ${error.message}`)),
    );
    started.once('close', (status, by) => resolve(status ?? by));
  });
  if (code !== 0) throw new Error(`the scanning process ended with ${code}: ${trouble}`);
  return JSON.parse(output) as ScanStory;
}
