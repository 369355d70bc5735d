// Stage: whoever answered before his host died answers again, or the report says that he does not: a guest that hangs at
// its boot is no success, whatever Nova calls it. The first scan tells who answered before (see senses/baseline.ts).

import type { ScanResult, ScanTarget } from '../../../shared/documents/jobs/scan.ts';
import { guestTarget } from '../../../shared/rules/guests.ts';
import type { JournalEntry } from '../journal/journal.ts';
import { expectedStatus } from '../movers/instance-progress.ts';
import type { Recovery, Stage } from '../recovery.ts';

/** Between two scans; each takes up to `[SCAN] timeout` for those that are silent. */
const pauseMs = 2_000;

/** One that is waited for. */
interface Awaited {
  readonly entry: JournalEntry;
  readonly target: ScanTarget;
  /** By this process' steady clock. */
  readonly untilMs: number;
}

export const settle: Stage = {
  name: 'settle',
  async run(recovery) {
    const { tools, lock, opened: journal, signal } = recovery;
    let awaited = awaitedOf(recovery);
    while (awaited.length > 0) {
      const result = await scanOf(recovery, awaited);
      const before = awaited.length;
      awaited = awaited.filter((one) => !isSettled(one, result, tools.clock.steadyMs()));
      if (awaited.length < before) await lock.save(journal);
      if (awaited.length > 0) await tools.clock.sleep(pauseMs, signal);
    }
    return 'next';
  },
};

function awaitedOf({ tools, facts, opened: journal, instancePorts }: Recovery): Awaited[] {
  const { clock, answerTimeoutMs } = tools;
  if (answerTimeoutMs === 0) return [];
  const [nowMs, steadyMs] = [clock.nowMs(), clock.steadyMs()];
  const { picture } = facts;
  const servers = picture.hostsRead.flatMap((host) => picture.serversOf(host));
  return Object.values(journal.instances).flatMap((entry) => {
    const { before, report, endedAtMs } = entry;
    const runs = report?.outcome === 'recovered' && expectedStatus(before.vmState) === 'ACTIVE';
    const server = servers.find(({ id }) => id === entry.id);
    if (!runs || server === undefined || report.answers !== null) return [];
    // What was heard before its host died counts, not what was heard since it was started anew.
    const target = guestTarget({ ...server, launchedAtMs: before.launchedAtMs }, instancePorts);
    if (target.endpoints.length === 0) return [];
    const backForMs = Math.max(0, nowMs - (endedAtMs ?? nowMs));
    return [{ entry, target, untilMs: steadyMs + Math.max(0, answerTimeoutMs - backForMs) }];
  });
}

async function scanOf(
  { tools, controls, signal }: Recovery,
  awaited: readonly Awaited[],
): Promise<ScanResult> {
  const targets = awaited.map(({ target }) => target);
  return tools.scan({ targets, controls: [...controls] }, signal);
}

/** Notes what the scan says of it, once that is final. */
function isSettled({ entry, target, untilMs }: Awaited, result: ScanResult, nowMs: number): boolean {
  const finding = result.ok ? result.targets[target.name] : undefined;
  const note = (answers: boolean | null) => {
    if (entry.report !== null) entry.report = { ...entry.report, answers };
    return true;
  };
  if (finding?.state === 'answers') return note(true);
  if (finding?.neverHeard === true) return note(null);
  if (nowMs < untilMs) return false;
  return note(finding?.state === 'silent' ? false : null);
}
