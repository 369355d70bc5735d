// What a scan has found so far of one target: the ends of its probes, and what else was heard of it.
import type { ScanSettings } from '../../shared/config/settings.ts';
import type { Endpoint, ScanFinding, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { isAnswer, judge, nameOf } from './finding.ts';
import type { Probe } from './probe.ts';
import type { Question } from './sockets.ts';

/** Told of every address that answers, more than once maybe; absent: nobody wants to know. */
export type OnHeard = ((address: string) => void) | undefined;

/** What is known so far of one target. */
export class Inquiry {
  readonly name: string;
  readonly kind: ScanTarget['kind'];
  readonly endpoints = new Map<string, Endpoint>();
  settled = false;
  readonly #refusedMeans: ScanSettings['refusedMeans'];
  readonly #onHeard: OnHeard;
  readonly #ends = new Map<string, Probe>();
  #card: string | null = null;

  constructor({ name, kind }: ScanTarget, refusedMeans: ScanSettings['refusedMeans'], onHeard: OnHeard) {
    this.name = name;
    this.kind = kind;
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

  /** One of these addresses may be its own: its network card answers. */
  hear(answering: ReadonlySet<string>): void {
    for (const { address } of this.endpoints.values()) {
      if (!answering.has(address)) continue;
      this.#card = address;
      this.settled = true;
      this.#onHeard?.(address);
    }
  }

  #take(key: string, endpoint: Endpoint, probe: Probe): void {
    this.#ends.set(key, probe);
    if (!isAnswer(probe, this.#refusedMeans)) return;
    this.settled = true;
    this.#onHeard?.(endpoint.address);
  }

  finding(): ScanFinding {
    if (this.#card !== null)
      return { state: 'answers', detail: `the network card of ${this.#card} answers, though no port does` };
    const testimonies = [...this.endpoints].map(([key, endpoint]) => ({
      endpoint,
      probe: this.#ends.get(key) ?? null,
    }));
    return judge(testimonies, this.#refusedMeans);
  }
}

/** One inquiry per name: had a name two findings, the silent one might hide the one that answers. */
export function inquire(
  targets: readonly ScanTarget[],
  refusedMeans: ScanSettings['refusedMeans'],
  onHeard: OnHeard,
): Inquiry[] {
  const inquiries = new Map<string, Inquiry>();
  for (const target of targets) {
    const { name } = target;
    const inquiry = inquiries.get(name) ?? new Inquiry(target, refusedMeans, onHeard);
    inquiries.set(name, inquiry);
    for (const endpoint of target.endpoints) inquiry.endpoints.set(nameOf(endpoint), endpoint);
  }
  return [...inquiries.values()];
}
