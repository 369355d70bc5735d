// The scan job: connects to every endpoint of targets and controls at once (within a bound) and tells which targets
// answer, and whether the scanner can be believed: no control answers, no silence counts.

import type { ScanSettings } from '../../shared/config/settings.ts';
import type { Endpoint, ScanFinding, ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { isVouchedFor } from '../../shared/rules/senses/vouching.ts';
import { isAnswer, judge, nameOf } from './finding.ts';
import { probeOf } from './offence.ts';
import type { Offenders } from './offenders.ts';
import type { Probe } from './probe.ts';
import { askAll, type Question, socketBound } from './sockets.ts';

export interface ScanOptions {
  /** Sockets at once; default: 4096, or what the file limit leaves. */
  readonly maxSockets?: number;
  /** Told of every address that answers, of targets and controls; more than once maybe. */
  readonly onHeard?: (address: string) => void;
  /** Tells who sent the ICMP errors that ended probes; absent: such a probe is unknown. */
  readonly offenders?: Offenders;
}

export interface ScanRequest {
  readonly targets: readonly ScanTarget[];
  /**
   * Probed in the same way, besides those of config.ini, to tell a blind scanner from silent targets; see vouching.ts.
   */
  readonly controls: readonly ScanTarget[];
}

/** Scans once. Rejects with the signal's reason when aborted; everything else is in the result. */
export async function scan(
  request: ScanRequest,
  settings: Pick<ScanSettings, 'timeoutMs' | 'refusedMeans' | 'controls'>,
  options: ScanOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<ScanResult & { ok: true }> {
  const startedAtMs = clock.nowMs();
  const { timeoutMs, refusedMeans } = settings;
  const configured = settings.controls.map((endpoint) => ({ name: nameOf(endpoint), endpoints: [endpoint] }));
  const asked = [...request.controls, ...configured];
  const { onHeard } = options;
  const targets = inquire(request.targets, refusedMeans, onHeard);
  const controls = inquire(asked, refusedMeans, onHeard);
  const maxSockets = options.maxSockets ?? socketBound();
  // Controls first: they must have had their turn whatever happens to the rest.
  await askAll(portMajor([...controls, ...targets]), { timeoutMs, maxSockets }, signal);
  if (options.offenders) await askWhoSaidNo([...controls, ...targets], options.offenders, signal);
  const answering = new Set(controls.filter((c) => c.settled).map((c) => c.name));
  const believed = isVouchedFor(asked, (name) => answering.has(name)) || targets.every((t) => t.settled);
  return {
    ok: true,
    outcome: believed ? 'seen' : 'blind',
    targets: Object.fromEntries(targets.map((t) => [t.name, t.finding()])),
    controls: Object.fromEntries(controls.map((c) => [c.name, c.finding()])),
    tookMs: clock.nowMs() - startedAtMs,
  };
}

/** Whoever had an error for an answer is asked who sent it. */
async function askWhoSaidNo(
  inquiries: readonly Inquiry[],
  offenders: Offenders,
  signal: AbortSignal,
): Promise<void> {
  const questions = inquiries.flatMap((inquiry) => inquiry.said().map((said) => ({ inquiry, ...said })));
  const endpoints = questions.map(({ endpoint }) => endpoint);
  for (const [i, offence] of await offenders.ask(endpoints, signal)) {
    const question = questions[i];
    question?.inquiry.tell(question.endpoint.address, question.code, probeOf(offence));
  }
}

/** What is known so far of one target. */
class Inquiry {
  readonly name: string;
  readonly endpoints = new Map<string, Endpoint>();
  settled = false;
  readonly #refusedMeans: ScanSettings['refusedMeans'];
  readonly #onHeard: ScanOptions['onHeard'];
  readonly #ends = new Map<string, Probe>();

  constructor(name: string, refusedMeans: ScanSettings['refusedMeans'], onHeard: ScanOptions['onHeard']) {
    this.name = name;
    this.#refusedMeans = refusedMeans;
    this.#onHeard = onHeard;
  }

  questions(): Question[] {
    return [...this.endpoints].map(([key, endpoint]) => ({
      endpoint,
      subject: this,
      answer: (probe) => this.#take(key, endpoint, probe),
    }));
  }

  /** The probes that somebody's error ended, one for each address and error; none once somebody answered. */
  said(): { readonly endpoint: Endpoint; readonly code: string | null }[] {
    if (this.settled) return [];
    const said = new Map<string, { endpoint: Endpoint; code: string | null }>();
    for (const [key, { isSaid, code }] of this.#ends) {
      const endpoint = this.endpoints.get(key);
      if (isSaid && endpoint) said.set(`${endpoint.address} ${code}`, { endpoint, code });
    }
    return [...said.values()];
  }

  /** What became of an error of `said`: it stands for all of the same code at this address. */
  tell(address: string, code: string | null, probe: Probe): void {
    for (const [key, endpoint] of this.endpoints) {
      const end = this.#ends.get(key);
      if (endpoint.address === address && end?.isSaid && end.code === code) this.#take(key, endpoint, probe);
    }
  }

  #take(key: string, endpoint: Endpoint, probe: Probe): void {
    this.#ends.set(key, probe);
    if (!isAnswer(probe, this.#refusedMeans)) return;
    this.settled = true;
    this.#onHeard?.(endpoint.address);
  }

  finding(): ScanFinding {
    const testimonies = [...this.endpoints].map(([key, endpoint]) => ({
      endpoint,
      probe: this.#ends.get(key) ?? null,
    }));
    return judge(testimonies, this.#refusedMeans);
  }
}

/** One inquiry per name: had a name two findings, the silent one might hide the one that answers. */
function inquire(
  targets: readonly ScanTarget[],
  refusedMeans: ScanSettings['refusedMeans'],
  onHeard: ScanOptions['onHeard'],
): Inquiry[] {
  const inquiries = new Map<string, Inquiry>();
  for (const { name, endpoints } of targets) {
    const inquiry = inquiries.get(name) ?? new Inquiry(name, refusedMeans, onHeard);
    inquiries.set(name, inquiry);
    for (const endpoint of endpoints) inquiry.endpoints.set(nameOf(endpoint), endpoint);
  }
  return [...inquiries.values()];
}

/** First port of every host, then the second…: a host that answers on the first spares the sockets of the others. */
function portMajor(inquiries: readonly Inquiry[]): Question[] {
  const rows = inquiries.map((inquiry) => inquiry.questions());
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return Array.from({ length: columns }, (_, index) =>
    rows.flatMap((row) => row.slice(index, index + 1)),
  ).flat();
}
