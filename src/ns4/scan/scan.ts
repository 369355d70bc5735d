// The scan job: connects to every endpoint of targets and controls at once (within a bound) and tells which targets
// answer, and whether the scanner can be believed: no control answers, no silence counts.
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import pLimit from 'p-limit';
import type { Clock } from '../../shared/clock.ts';
import type { ScanSettings } from '../../shared/config/settings.ts';
import type { Endpoint, ScanFinding, ScanResult, ScanTarget } from '../../shared/contracts.ts';
import { type Probe, probe } from './probe.ts';

export interface ScanOptions {
  /** Sockets at once; default: 4096, or what the file limit leaves. */
  readonly maxSockets?: number;
}

const mostSockets = 4_096;
/** Descriptors left to Redis, HTTP, files. */
const reservedFiles = 200;
const leastSockets = 16;

type Seen = Pick<ScanSettings, 'timeoutMs' | 'refusedMeans' | 'controls'>;

/** Scans once. Rejects with the signal's reason when aborted; everything else is in the result. */
export async function scan(
  request: { readonly targets: readonly ScanTarget[]; readonly controls: readonly ScanTarget[] },
  settings: Seen,
  options: ScanOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<ScanResult & { ok: true }> {
  // One listener per socket hangs on this signal; Node would take more than ten for a leak.
  setMaxListeners(0, signal);
  const startedAtMs = clock.nowMs();
  const configured = settings.controls.map((endpoint) => ({ name: nameOf(endpoint), endpoints: [endpoint] }));
  const targets = request.targets.map((target) => new Inquiry(target));
  const controls = [...request.controls, ...configured].map((target) => new Inquiry(target));
  const limit = pLimit(options.maxSockets ?? socketBound());
  await Promise.all(
    portMajor([...controls, ...targets]).map(({ inquiry, endpoint }) =>
      limit(async () => {
        // One answer settles a host: its other ports need no socket.
        if (inquiry.answered || signal.aborted) return;
        inquiry.note(
          endpoint,
          await probe(endpoint, settings.timeoutMs, inquiry.signalWith(signal)),
          settings.refusedMeans,
        );
      }),
    ),
  );
  signal.throwIfAborted();
  const findings = (of: readonly Inquiry[]) => Object.fromEntries(of.map((i) => [i.name, i.finding()]));
  const seen = controls.some((control) => control.answered) || targets.every((target) => target.answered);
  return {
    ok: true,
    outcome: seen ? 'seen' : 'blind',
    targets: findings(targets),
    controls: findings(controls),
    tookMs: clock.nowMs() - startedAtMs,
  };
}

/** What is known so far of one target. */
class Inquiry {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly #settled = new AbortController();
  #answer: string | null = null;
  #trouble: string | null = null;
  #silent = 0;

  constructor(target: ScanTarget) {
    this.name = target.name;
    this.endpoints = target.endpoints;
  }

  get answered(): boolean {
    return this.#answer !== null;
  }

  /** Also aborted once the target answered, so that its other sockets close at once. */
  signalWith(signal: AbortSignal): AbortSignal {
    return this.endpoints.length > 1 ? AbortSignal.any([signal, this.#settled.signal]) : signal;
  }

  note(endpoint: Endpoint, { state, code }: Probe, refusedMeans: ScanSettings['refusedMeans']): void {
    if (this.answered) return;
    const where = nameOf(endpoint);
    if (state === 'open' || (state === 'refused' && refusedMeans === 'alive')) {
      this.#answer = `${where} ${state}`;
      this.#settled.abort();
    } else if (state === 'unknown') this.#trouble ??= `${code} at ${where}`;
    else this.#silent += 1;
  }

  finding(): ScanFinding {
    if (this.#answer !== null) return { state: 'answers', detail: this.#answer };
    if (this.endpoints.length === 0) return { state: 'unknown', detail: 'it has no address to scan' };
    if (this.#trouble !== null) return { state: 'unknown', detail: this.#trouble };
    const first = this.endpoints[0] as Endpoint;
    const detail =
      this.endpoints.length === 1
        ? `${nameOf(first)} silent`
        : `${this.#silent} endpoints silent, ${nameOf(first)} first`;
    return { state: 'silent', detail };
  }
}

/** First port of every host, then the second…: a host that answers on the first spares the sockets of the others. */
function portMajor(inquiries: readonly Inquiry[]): { inquiry: Inquiry; endpoint: Endpoint }[] {
  const most = Math.max(0, ...inquiries.map((i) => i.endpoints.length));
  return Array.from({ length: most }, (_, index) => index).flatMap((index) =>
    inquiries.flatMap((inquiry) => {
      const endpoint = inquiry.endpoints[index];
      return endpoint === undefined ? [] : [{ inquiry, endpoint }];
    }),
  );
}

/** 4096 sockets, or fewer where the limit of open files (which Node raises to its hard limit) leaves fewer. */
function socketBound(): number {
  let files: number;
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    files = found === undefined || found === 'unlimited' ? mostSockets + reservedFiles : Number(found);
  } catch {
    files = 1_024;
  }
  return Math.max(leastSockets, Math.min(mostSockets, files - reservedFiles));
}

function nameOf({ address, port }: Endpoint): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
