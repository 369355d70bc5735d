// A scan by all vantage points there are: whom it was asked of, how long they are waited for, and what they saw
// together.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { contracts, type JobData, type JobOutcome } from '../documents/jobs/contracts.ts';
import type { ScanResult } from '../documents/jobs/scan.ts';
import type { Clock } from '../ground/clock.ts';
import { errorText } from '../ground/errors.ts';
import type { Db } from '../redis/db.ts';
import type { Keys } from '../redis/keys.ts';
import { mergeScans, type Vote } from '../rules/votes.ts';
import type { Trust } from '../trust/trust.ts';
import type { VantagePointRegistry } from './registry.ts';

type ScanData = JobData<'scan'>;

/** The scan queues of the vantage points, one each (see queue.ts). */
export interface VantagePointQueues {
  /** Asking again with the same id changes nothing. */
  add(vantagePoint: string, id: string, data: ScanData): Promise<void>;
  outcome(vantagePoint: string, id: string): Promise<JobOutcome<'scan'>>;
  remove(vantagePoint: string, id: string): Promise<void>;
}

export interface QuorumRules {
  readonly quorum: number;
  readonly timeoutMs: number;
}

interface QuorumScanParts {
  readonly redis: Db;
  readonly keys: Keys;
  readonly trust: Trust;
  readonly registry: Pick<VantagePointRegistry, 'list'>;
  readonly queues: VantagePointQueues;
  readonly rules: QuorumRules;
  readonly clock: Clock;
}

/** This process as a vantage point of its own scan: it looks itself, without a queue in between. */
interface OwnVantagePoint {
  readonly name: string;
  scan(): Promise<ScanResult>;
}

const documentSchema = z.object({
  atMs: z.number(),
  vantagePoints: z.array(z.string()),
  data: contracts.scan.data,
});
type Document = z.infer<typeof documentSchema>;

const subjectOf = (id: string): string => `quorum-scan/${id}`;

/** Long enough for whoever asked to come back after a restart, and then to see that it is too late. */
const documentLifeMs = 600_000;
/** Beyond the time that one or two silent scans take: for queues, and for a restarted ns4 to register. */
const slackMs = 5_000;
/** A vantage point that is alive and must be waited for has this long, however much there is to scan. */
const longestMs = contracts.scan.timeoutMs;
/** A further look at the other vantage points' jobs. */
const pollMs = 100;

interface Standing extends Vote {
  readonly pending: boolean;
}

export class QuorumScan {
  readonly #parts: QuorumScanParts;

  constructor(parts: QuorumScanParts) {
    this.#parts = parts;
  }

  /**
   * Asks every vantage point that is alive now, `except` for one that looks by itself. Asked again under the same id
   * (by a monitor that was restarted, say), it is the same scan of the same vantage points.
   */
  async request(id: string, data: ScanData, except: string | null = null): Promise<void> {
    const { redis, keys, registry, queues } = this.#parts;
    const { nowMs, names } = await registry.list();
    const document: Document = { atMs: nowMs, vantagePoints: names.filter((name) => name !== except), data };
    const stored = await redis.set(
      keys.quorumScan(id),
      this.#parts.trust.text('job', subjectOf(id), document),
      ...(['PX', documentLifeMs, 'NX'] as const),
    );
    const { vantagePoints } = stored === null ? ((await this.#read(id)) ?? document) : document;
    await Promise.all(vantagePoints.map((vantagePoint) => queues.add(vantagePoint, id, data)));
  }

  /** What they saw, once nobody is worth waiting for any more. */
  async outcome(id: string): Promise<JobOutcome<'scan'>> {
    return this.#outcome(id, null);
  }

  /** Takes the scan back where no vantage point has begun. */
  async withdraw(id: string): Promise<void> {
    const document = await this.#read(id);
    if (document === null) return;
    await Promise.all(
      document.vantagePoints.map((vantagePoint) => this.#parts.queues.remove(vantagePoint, id)),
    );
    await this.#parts.redis.del(this.#parts.keys.quorumScan(id));
  }

  /** A scan by this process and all other vantage points, waited for. Rejects with the signal's reason when aborted. */
  async ask(data: ScanData, own: OwnVantagePoint, signal: AbortSignal): Promise<ScanResult> {
    const id = `fresh-${randomUUID()}`;
    let mine: Standing = { vantagePoint: own.name, result: null, pending: true };
    const looking = own
      .scan()
      .catch((error): ScanResult => ({ ok: false, detail: errorText(error) }))
      .then((result) => {
        mine = { vantagePoint: own.name, result, pending: false };
      });
    await this.request(id, data, own.name);
    try {
      for (;;) {
        signal.throwIfAborted();
        const outcome = await this.#outcome(id, mine);
        if (outcome.state === 'done') return outcome.result;
        if (outcome.state === 'missing') return { ok: false, detail: 'Redis lost the scan' };
        const pause = this.#parts.clock.sleep(pollMs, signal).catch(() => undefined);
        await (mine.pending ? Promise.race([looking, pause]) : pause);
      }
    } finally {
      await this.withdraw(id).catch(() => undefined);
    }
  }

  async #outcome(id: string, own: Standing | null): Promise<JobOutcome<'scan'>> {
    const document = await this.#read(id);
    if (document === null) return { state: 'missing' };
    const { nowMs, names } = await this.#parts.registry.list();
    const alive = new Set(names);
    const votes = await Promise.all(
      document.vantagePoints.map((vantagePoint) => this.#vote(vantagePoint, id, alive)),
    );
    if (own !== null) votes.push(own);
    const { quorum } = this.#parts.rules;
    const waitedMs = nowMs - document.atMs;
    if (isWorthWaiting(votes, waitedMs, this.#parts.rules)) {
      const joined = votes.filter(({ result, pending }) => pending || result !== null).length;
      if (joined < quorum) await this.#invite(id, document, names, own);
      return { state: 'running' };
    }
    await Promise.all(
      votes
        .filter((v) => v.result === null && v !== own)
        .map((v) => this.#parts.queues.remove(v.vantagePoint, id)),
    );
    return { state: 'done', result: mergeScans(votes, quorum) };
  }

  /** Vantage points that came since, when those asked are too few. */
  async #invite(
    id: string,
    document: Document,
    names: readonly string[],
    own: Standing | null,
  ): Promise<void> {
    const { redis, keys, queues, trust } = this.#parts;
    const fresh = names.filter(
      (name) => name !== own?.vantagePoint && !document.vantagePoints.includes(name),
    );
    if (fresh.length === 0) return;
    const wider: Document = { ...document, vantagePoints: [...document.vantagePoints, ...fresh] };
    await redis.set(keys.quorumScan(id), trust.text('job', subjectOf(id), wider), 'KEEPTTL', 'XX');
    await Promise.all(fresh.map((vantagePoint) => queues.add(vantagePoint, id, document.data)));
  }

  async #vote(vantagePoint: string, id: string, alive: ReadonlySet<string>): Promise<Standing> {
    const outcome = await this.#parts.queues.outcome(vantagePoint, id);
    switch (outcome.state) {
      case 'done':
        return { vantagePoint, result: outcome.result, pending: false };
      case 'failed':
        return { vantagePoint, result: { ok: false, detail: outcome.detail }, pending: false };
      case 'missing':
        return { vantagePoint, result: null, pending: false };
      case 'waiting':
      case 'running':
        // Whoever no longer says that it is there will not answer either.
        return { vantagePoint, result: null, pending: alive.has(vantagePoint) };
    }
  }

  async #read(id: string): Promise<Document | null> {
    const text = await this.#parts.redis.get(this.#parts.keys.quorumScan(id));
    if (text === null) return null;
    const found = JSON.parse(text);
    // Whoever is invited later is asked for what stands there, in our name.
    const isBelieved = this.#parts.trust.distrusts('job', subjectOf(id), found) === null;
    return isBelieved ? documentSchema.parse(found) : null;
  }
}

/**
 * Is more to come that is worth the wait? When enough sighted vantage points agree on what there is to see, others may
 * still veto, for as long as they are expected to take; when they are too few, all who are alive are waited for, and
 * for a while whoever may yet register.
 */
export function isWorthWaiting(votes: readonly Standing[], waitedMs: number, rules: QuorumRules): boolean {
  const scans = votes.flatMap(({ result }) => (result?.ok ? [result] : []));
  const sighted = scans.filter(({ outcome }) => outcome === 'seen').length;
  const usualMs = 2 * rules.timeoutMs + slackMs;
  if (votes.some(({ pending }) => pending)) {
    if (sighted < rules.quorum) return waitedMs < longestMs;
    return waitedMs < Math.max(usualMs, ...scans.map(({ tookMs }) => 2 * tookMs + slackMs));
  }
  const answered = votes.filter(({ result }) => result !== null).length;
  return answered < rules.quorum && waitedMs < usualMs;
}
