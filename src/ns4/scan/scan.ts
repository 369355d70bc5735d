// The scan job: connects to every endpoint of targets and controls at once (within a bound) and tells which targets
// answer, and whether the scanner can be believed: no control answers, no silence counts.

import type { ScanSettings } from '../../shared/config/settings.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { isVouchedFor } from '../../shared/rules/senses/vouching.ts';
import { nameOf } from './finding.ts';
import { type Inquiry, inquire, type OnHeard } from './inquiry.ts';
import type { Neighbours } from './neighbours.ts';
import { probeOf } from './offence.ts';
import type { Offenders } from './offenders.ts';
import { askAll, type Question, socketBound } from './sockets.ts';

export interface ScanOptions {
  /** Sockets at once; default: 4096, or what the file limit leaves. */
  readonly maxSockets?: number;
  /** Told of every address that answers, of targets and controls; more than once maybe. */
  readonly onHeard?: OnHeard;
  /** Tells who sent the ICMP errors that ended probes; absent: such a probe is unknown. */
  readonly offenders?: Offenders;
  /** Hears hosts on the own segment that drop everything else. */
  readonly neighbours?: Neighbours;
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
  const startedMs = clock.steadyMs();
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
  if (options.neighbours) await listenAtTheCard(targets, options.neighbours, startedMs, signal);
  const answering = new Set(controls.filter((c) => c.settled).map((c) => c.name));
  const believed =
    isVouchedFor(asked, (name) => answering.has(name)) ||
    targets.every((t) => t.finding().state === 'answers');
  return {
    ok: true,
    outcome: believed ? 'seen' : 'blind',
    targets: Object.fromEntries(targets.map((t) => [t.name, t.finding()])),
    controls: Object.fromEntries(controls.map((c) => [c.name, c.finding()])),
    tookMs: clock.nowMs() - startedAtMs,
  };
}

/** Whoever had an error for an answer is asked who sent it: one of each target, then their others. */
async function askWhoSaidNo(
  inquiries: readonly Inquiry[],
  offenders: Offenders,
  signal: AbortSignal,
): Promise<void> {
  const questions = byTurns(inquiries.map((inquiry) => inquiry.said().map((said) => ({ inquiry, said }))));
  const endpoints = questions.map(({ said }) => said.endpoint);
  for (const [i, offence] of await offenders.ask(endpoints, signal)) {
    const question = questions[i];
    question?.inquiry.tell(question.said, probeOf(offence, question.inquiry.kind));
  }
}

/**
 * Hosts that gave no answer, as the neighbour table knows them. Not guests: routers and network nodes answer ARP in
 * their name. Nor controls: a card on the segment does not vouch for what is behind a router.
 */
async function listenAtTheCard(
  targets: readonly Inquiry[],
  neighbours: Neighbours,
  sinceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const quiet = targets.filter(({ kind, settled }) => kind === 'host' && !settled);
  const addresses = new Set(
    quiet.flatMap((one) => [...one.endpoints.values()].map(({ address }) => address)),
  );
  if (addresses.size === 0) return;
  const answering = await neighbours.answering([...addresses], sinceMs, signal);
  for (const one of quiet) one.hear(answering);
}

/** First port of every host, then the second…: a host that answers on the first spares the sockets of the others. */
const portMajor = (inquiries: readonly Inquiry[]): Question[] =>
  byTurns(inquiries.map((inquiry) => inquiry.questions()));

/** The first of each row, then the second of each… */
function byTurns<T>(rows: readonly (readonly T[])[]): T[] {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return Array.from({ length: columns }, (_, index) =>
    rows.flatMap((row) => row.slice(index, index + 1)),
  ).flat();
}
