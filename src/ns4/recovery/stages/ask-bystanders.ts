// Was it the right machine? Before the first `off` of an attempt it is noted which other hypervisors answer; afterwards
// whoever of them is silent may be the one that was really switched off. One that fails by chance just then looks the
// same, so the sentence says both, and nothing is evacuated in either case.

import type { ScanResult } from '../../../shared/documents/jobs/scan.ts';
import { hostTarget } from '../../../shared/rules/controls.ts';
import { isHeard } from '../../../shared/rules/senses/heartbeat.ts';
import { tooFewVantagePoints } from '../../../shared/rules/votes.ts';
import type { Fallen } from '../../fencing/bystanders.ts';
import type { Recovery } from '../recovery.ts';
import { DoubtError } from '../still-silent.ts';

/** Whoever is silent is asked once more: a lost packet is no death. */
const askAgainMs = 2_000;

/** The other hypervisors that may be asked. */
function othersOf({ order, facts }: Recovery): string[] {
  return facts.picture.hypervisors
    .filter(
      ({ host, address, forcedDown }) =>
        host !== order.dead && address !== null && address !== order.address && !forcedDown,
    )
    .map(({ host }) => host);
}

/** Those of them that were heard of a moment ago. */
export function bystandersOf(recovery: Recovery): string[] {
  const { tools, facts } = recovery;
  const { clock, policy } = tools;
  return othersOf(recovery).filter((host) => isHeard(host, facts.picture, clock.nowMs(), policy));
}

/**
 * Those of them that answer now, whether or not their agents report: one that has just booted may be hit as well.
 * @throws DoubtError when nobody can tell
 */
export async function hearBystanders(recovery: Recovery): Promise<string[]> {
  const names = othersOf(recovery);
  if (names.length === 0) return [];
  return answering(await askAll(recovery, names), names);
}

/**
 * Who of those that answered before is silent now, in two looks; null: none is.
 * @throws DoubtError when nobody can tell
 */
export async function whoFell(recovery: Recovery, heard: readonly string[]): Promise<Fallen | null> {
  const { tools, facts, signal, order } = recovery;
  const known = heard.filter((host) => (facts.picture.hypervisor(host)?.address ?? null) !== null);
  if (known.length === 0) return null;
  const first = quiet(await askAll(recovery, known), known);
  if (first.length === 0) return null;
  await tools.clock.sleep(askAgainMs, signal);
  const scan = await askAll(recovery, first);
  const still = quiet(scan, first);
  const hosts = still.filter((host) => scan.targets[host]?.state === 'silent');
  if (hosts.length > 0) return { atMs: tools.clock.nowMs(), hosts };
  const [unknown] = still;
  if (unknown === undefined) return null;
  const detail = `whether ${unknown} fell silent as it was powered off: ${scan.targets[unknown]?.detail ?? 'no answer'}`;
  throw new DoubtError({ name: 'scan-unknown', host: order.dead, detail });
}

type SeenScan = ScanResult & { ok: true };

/** One scan of them, along with the controls. */
async function askAll(recovery: Recovery, names: readonly string[]): Promise<SeenScan> {
  const { order, tools, facts, signal, controls } = recovery;
  const targets = names.map((host) =>
    hostTarget(host, facts.picture.hypervisor(host)?.address ?? null, recovery),
  );
  const scan = await tools.scan({ targets, controls: [...controls] }, signal);
  const hosts = [order.dead];
  if (!scan.ok) throw new DoubtError({ name: 'scan-failed', of: 'hosts', hosts, detail: scan.detail });
  if (scan.outcome === 'too-few-vantage-points') throw new DoubtError(tooFewVantagePoints(hosts, scan));
  if (scan.outcome === 'blind')
    throw new DoubtError({
      ...{ name: 'scanner-blind', of: 'hosts', hosts },
      controls: Object.keys(scan.controls),
    });
  return scan;
}

/** For as many vantage points as must agree: one that heard it alone may just lose its way to it. */
function answering({ targets, vantagePoints, quorum = 1 }: SeenScan, names: readonly string[]): string[] {
  const deaf = new Map<string, number>();
  const sighted = (vantagePoints ?? []).filter(({ state }) => state === 'sighted');
  for (const { silent } of sighted) for (const host of silent) deaf.set(host, (deaf.get(host) ?? 0) + 1);
  return names.filter(
    (host) =>
      targets[host]?.state === 'answers' &&
      (vantagePoints === undefined || sighted.length - (deaf.get(host) ?? 0) >= quorum),
  );
}

const quiet = ({ targets }: SeenScan, names: readonly string[]): string[] =>
  names.filter((host) => targets[host]?.state !== 'answers');
