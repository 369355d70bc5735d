// What a scan has found so far of one target: the ends of its probes, and what else was heard of it.
import type { ScanSettings } from '../../shared/config/settings.ts';
import type { Endpoint, ScanFinding, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { isAnswer, judge, nameOf } from './finding.ts';
import type { Probe } from './probe.ts';
import type { Question } from './sockets.ts';

/** Told of every address that answers, more than once maybe; absent: nobody wants to know. */
export type OnHeard = ((address: string) => void) | undefined;

/** The end of a probe that somebody's error may have brought about. */
export interface Said {
  readonly endpoint: Endpoint;
  /** Of the error; null: the connect was refused. */
  readonly code: string | null;
}

/** What is known so far of one target. */
export class Inquiry {
  readonly name: string;
  readonly kind: ScanTarget['kind'];
  readonly endpoints = new Map<string, Endpoint>();
  /** Somebody answered for sure. */
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
      answer: (probe) =>
        this.#take(key, endpoint, this.#isDoubtful(probe) ? { ...probe, isSaid: true } : probe),
    }));
  }

  /**
   * A connect is refused by a reset and by "port unreachable" alike, which a router may send in a guest's name: it is no
   * answer before it was asked for. Where a refusal proves nothing anyway nobody asks.
   */
  #isDoubtful({ state }: Probe): boolean {
    return this.kind === 'guest' && state === 'refused' && this.#refusedMeans === 'alive';
  }

  /**
   * The probes that somebody's error may have ended, one for each address and error, and every refused one; none once
   * somebody answered.
   */
  said(): Said[] {
    if (this.settled) return [];
    const said = new Map<string, Said>();
    for (const [key, { isSaid, code }] of this.#ends) {
      const endpoint = this.endpoints.get(key);
      if (isSaid && endpoint)
        said.set(code === null ? key : `${endpoint.address} ${code}`, { endpoint, code });
    }
    return [...said.values()];
  }

  /** What became of one of `said`: an error stands for all of the same code at this address, a refusal for itself. */
  tell({ endpoint: asked, code }: Said, probe: Probe): void {
    for (const [key, endpoint] of this.endpoints) {
      const end = this.#ends.get(key);
      const isMeant = endpoint.address === asked.address && (code !== null || endpoint.port === asked.port);
      if (isMeant && end?.isSaid && end.code === code) this.#take(key, endpoint, probe);
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
    if (probe.isSaid || !isAnswer(probe, this.#refusedMeans)) return;
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
