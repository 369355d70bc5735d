// A scan by all vantage points there are. The real merging of what they saw; who is asked and waited for is a simple
// picture of shared/vantage-points/ask-all.ts: a dead vantage point is not asked, one that stands still or is cut off
// is waited for until it counts as gone.

import type { ScanFinding, ScanResult, ScanTarget } from '../../../src/shared/documents/jobs/scan.ts';
import { isOfDisks } from '../../../src/shared/rules/disks.ts';
import { mergeScans, type Vote } from '../../../src/shared/rules/votes.ts';
import { vantagePointLifeMs } from '../../../src/shared/vantage-points/registry.ts';
import type { Process } from './process.ts';
import type { ScanQuestion, SeenScan, VantagePoint } from './vantage-point.ts';

export interface ScanSeat {
  readonly vantagePoint: VantagePoint;
  /** Null: nobody sits there. */
  readonly process: { readonly running: boolean } | null;
  readonly redisLine: { readonly cut: boolean };
  /** Null: nobody asks Ceph there. */
  readonly role: { lookAtDisks(target: ScanTarget): Promise<ScanFinding> } | null;
}

/** What all saw together, and what each of them truly saw. */
export interface ScanTogether {
  readonly result: ScanResult;
  readonly seen: readonly SeenScan[];
  readonly tookMs: number;
}

/** So long more vantage points are waited for when they are too few. */
const tooFewMs = 11_000;

/** `asker`: the worker that wants it, and waits for the others. */
export async function lookTogether(
  seats: readonly ScanSeat[],
  quorum: number,
  question: ScanQuestion,
  asker: Process,
): Promise<ScanTogether> {
  const beganMs = asker.timeline.nowMs;
  const disks = question.targets.filter(isOfDisks);
  const byNetwork = { ...question, targets: question.targets.filter((target) => !isOfDisks(target)) };
  const looks: { readonly vote: Vote; readonly asked: Promise<Findings> | null }[] = [];
  let tookMs = 50;
  for (const { vantagePoint, process, redisLine, role } of seats) {
    if (process === null) continue;
    const vote = (result: Vote['result']) => ({ vantagePoint: vantagePoint.name, result });
    if (!process.running || redisLine.cut) {
      looks.push({ vote: vote(null), asked: null });
      tookMs = Math.max(tookMs, vantagePointLifeMs);
    } else if (vantagePoint.fails())
      looks.push({ vote: vote({ ok: false, detail: 'no socket' }), asked: null });
    else {
      const look = vantagePoint.look(byNetwork);
      const asked = role === null || disks.length === 0 ? null : askedBy(role, disks, asker);
      looks.push({ vote: vote(look.result), asked });
      tookMs = Math.max(tookMs, look.tookMs);
    }
  }
  if (looks.length < quorum) tookMs = Math.max(tookMs, tooFewMs);
  const votes: Vote[] = [];
  const seen: SeenScan[] = [];
  for (const { vote, asked } of looks) {
    const { result } = vote;
    const found = asked === null ? {} : await asked;
    const whole =
      result?.ok === true && asked !== null
        ? { ...result, targets: { ...result.targets, ...found } }
        : result;
    votes.push({ ...vote, result: whole });
    if (whole?.ok) seen.push(whole);
  }
  const leftMs = Math.max(0, tookMs - (asker.timeline.nowMs - beganMs));
  return { result: mergeScans(votes, quorum), seen, tookMs: leftMs };
}

type Findings = Readonly<Record<string, ScanFinding>>;

/** One that is killed meanwhile says nothing, and is waited for until it counts as gone. */
async function askedBy(
  role: NonNullable<ScanSeat['role']>,
  targets: readonly ScanTarget[],
  asker: Process,
): Promise<Findings> {
  const gone = asker.sleep(vantagePointLifeMs).then((): Findings => ({}));
  const all = Promise.all(
    targets.map(async (target) => [target.name, await role.lookAtDisks(target)] as const),
  );
  return Promise.race([all.then((found): Findings => Object.fromEntries(found)), gone]);
}
