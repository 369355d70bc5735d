// Two monitors and two ns4 on a real OpenStack: at random moments of recoveries of ten instances, whoever leads or
// works (or stands by) is killed or frozen. Every instance is evacuated exactly once. MOMENTS and SEED from the
// environment.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaseMs } from '../../src/monitor/lease.ts';
import { timings } from '../../src/shared/ground/timings.ts';
import { Random } from '../simulation/random.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import { DoubledCrew, openJobs, type Post, type Role, requestsOfFormerJob } from '../support/doubled-crew.ts';
import { type Stage, stage, Testbed } from '../support/testbed.ts';

/** How often a recovery can be hit before it is over is up to the machine and to chance; the sum is what counts. */
const mostPerRecovery = 10;
const wanted = Number(process.env.MOMENTS ?? 20);
const mostRecoveries = Math.ceil(wanted / 2);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const instances = 10;
const workerLimitMs = 15_000;
const monitorLimitMs = 2 * leaseMs;
/** A request whose worker was hit in the act is waited for before it is asked for again. */
const endedWithinMs = timings.evacuation.lostMs + 120_000;
/** What the measuring itself may add: the poll, and a keyspace event under way. */
const measureMs = 250;

interface Moment {
  readonly round: number;
  readonly secondsIn: number;
  readonly phase: string;
  readonly victim: string;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** Until the successor held the claim (or the lease), and until its first write of the journal. */
  readonly heldMs: number | null;
  readonly actedMs: number | null;
}

let testbed: Testbed;
const random = new Random(seed);
const moments: Moment[] = [];
const ends: string[] = [];

beforeAll(async () => {
  testbed = await Testbed.open();
});
afterAll(async () => {
  process.stdout.write(`${table()}\n`);
  await testbed?.reset();
  await testbed?.close();
});

function table(): string {
  const seconds = (ms: number | null) => (ms === null ? '-' : (ms / 1_000).toFixed(1));
  const rows = moments.map((m, i) => {
    const cells = [i + 1, m.round, m.secondsIn.toFixed(1), m.phase, m.victim, m.signal];
    return `| ${[...cells, seconds(m.heldMs), seconds(m.actedMs)].join(' | ')} |`;
  });
  return [
    `seed ${seed}, ${moments.length} moments`,
    '| # | recovery | second | phase | victim | signal | successor after s | its first write after s |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    ...ends,
  ].join('\n');
}

async function begin(): Promise<{ on: Stage; crew: DoubledCrew; ids: string[] }> {
  await testbed.reset();
  const ids = await testbed.boot('vm', 'hv01', { count: instances });
  // Two at a time, so that a recovery is long enough to be hit again and again.
  const ini = { OPENSTACK: { concurrency: 2 }, SCAN: { timeout: 1 } };
  const on = await stage(testbed, ini, { aof: true });
  const { cloud } = testbed.env;
  const crew = await DoubledCrew.start(on.household, cloud, 'hv01');
  await testbed.watched(on);
  await cloudTool('kill', 'hv01');
  await on.household.waitForEvent((e) => e.facts.kind === 'recovery-requested', 60_000);
  return { on, crew, ids };
}

const hasEnded = async ({ household }: Stage): Promise<boolean> =>
  (await household.events()).some((e) => e.facts.kind === 'recovery-ended');

async function victimOf(crew: DoubledCrew): Promise<{ post: Post; busy: boolean }> {
  const role: Role = random.chance(0.7) ? 'ns4' : 'monitor';
  const busy = await crew.busy(role);
  const others = crew.posts.filter((post) => post.role === role && post !== busy);
  if (busy === null || random.chance(0.15)) return { post: random.pick(others), busy: false };
  return { post: busy, busy: true };
}

/** Hits somebody and waits until somebody else is in its place, or the recovery is over. */
async function hit(round: number, beganAtMs: number, on: Stage, crew: DoubledCrew): Promise<Post | null> {
  const { post, busy } = await victimOf(crew);
  const signal = random.pick(['SIGKILL', 'SIGSTOP'] as const);
  const phase = await crew.phase();
  const atMs = Date.now();
  await post.process.signal(signal);
  let heldMs: number | null = null;
  let actedMs: number | null = null;
  if (busy && post.role === 'monitor') {
    await testbed.until('another monitor to lead', () => crew.followed(post), 3 * leaseMs, 50);
    heldMs = Date.now() - atMs;
  } else if (busy) {
    const replaced = async () => crew.firstActionSince(atMs) !== null || (await hasEnded(on));
    await testbed.until('another ns4 to go on', replaced, 60_000, 100);
    const action = crew.firstActionSince(atMs);
    if (action !== null) {
      heldMs = action.claimedAtMs - atMs;
      actedMs = action.wroteAtMs - atMs;
    }
  }
  const secondsIn = (atMs - beganAtMs) / 1_000;
  const victim = `${post.name}${busy ? '' : ' (idle)'}`;
  moments.push({ round, secondsIn, phase, victim, signal, heldMs, actedMs });
  if (signal === 'SIGSTOP') return post;
  crew.restart(post);
  return null;
}

/** A frozen one goes on: nothing of what it was at may still happen. */
async function thaw(post: Post): Promise<() => void> {
  const { process: thawed } = post;
  const [from, had] = [thawed.output.length, openJobs(thawed).length > 0];
  await thawed.signal('SIGCONT');
  return () => {
    if (had) expect(requestsOfFormerJob(thawed, from), `${post.name} after it was thawed`).toEqual([]);
  };
}

async function expectOnceEach(ids: readonly string[], round: number): Promise<void> {
  const migrations = (await testbed.evacuations()).filter(({ instanceId }) => ids.includes(instanceId));
  const servers = [...(await testbed.servers()).values()].filter(({ id }) => ids.includes(id));
  const errors = servers.filter(({ status }) => status === 'ERROR').length;
  const back = servers.filter(({ status, host }) => status === 'ACTIVE' && host === 'hv04').length;
  const completed = migrations.filter(({ status }) => ['done', 'completed'].includes(status));
  ends.push(
    `recovery ${round}: ${back} of ${ids.length} instances back, ${errors} in ERROR, ${completed.length} of ${migrations.length} evacuations completed`,
  );
  expect(completed.map(({ instanceId }) => instanceId).sort()).toEqual([...ids].sort());
  expect(migrations).toHaveLength(ids.length);
  expect({ back, errors }).toEqual({ back: ids.length, errors: 0 });
}

async function recovery(round: number, missing: number): Promise<void> {
  const { on, crew, ids } = await begin();
  const checks: (() => void)[] = [];
  try {
    const beganAtMs = Date.now();
    for (let n = 0; n < Math.min(mostPerRecovery, missing); n += 1) {
      await delay(random.between(100, 4_000));
      if (await hasEnded(on)) break;
      const frozen = await hit(round, beganAtMs, on, crew);
      await delay(random.between(0, 1_000));
      if (frozen !== null) checks.push(await thaw(frozen));
    }
    await on.household.waitForEvent((e) => e.facts.kind === 'recovery-ended', endedWithinMs);
    // Whoever was thawed has had its say by then.
    await delay(3_000);
    await expectOnceEach(ids, round);
    for (const check of checks) check();
    const kinds = (await on.household.events()).map((e) => e.facts.kind);
    for (const once of ['recovery-requested', 'recovery-ended'])
      expect(kinds.filter((kind) => kind === once)).toHaveLength(1);
  } catch (error) {
    process.stdout.write(`${await on.household.story()}\n`);
    throw error;
  } finally {
    crew.close();
    await on.close();
  }
}

test(`killed or frozen at ${wanted} random moments of recoveries (seed ${seed}): each instance once`, async () => {
  for (let round = 1; round <= mostRecoveries && moments.length < wanted; round += 1)
    await recovery(round, wanted - moments.length);
  for (const { victim, heldMs, actedMs } of moments) {
    const [tookMs, limitMs] = victim.startsWith('ns4') ? [actedMs, workerLimitMs] : [heldMs, monitorLimitMs];
    if (tookMs !== null) expect(tookMs, victim).toBeLessThanOrEqual(limitMs + measureMs);
  }
  expect(moments.length).toBe(wanted);
}, 1_200_000);
