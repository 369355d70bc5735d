// Two monitors and two ns4 on a real OpenStack: one of them is killed or frozen at random moments of recoveries of ten
// instances. Each instance has exactly one completed evacuation, none ends in ERROR. Prints the table of moments.
// MOMENTS=n and SEED=n choose others.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOf } from '../../src/shared/keys.ts';
import { readLeader } from '../../src/shared/leader.ts';
import { Random } from '../simulation/random.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import type { Running } from '../support/processes.ts';
import { type Stage, stage, Testbed } from '../support/testbed.ts';

const moments = Number(process.env.MOMENTS ?? 20);
const seed = Number(process.env.SEED ?? Date.now() % 100_000);
const random = new Random(seed);
/** A round ends when its recovery does; most moments of one round, and rounds altogether. */
const mostPerRound = 6;
const mostRounds = Math.ceil(moments / 2) + 1;
const instances = 10;
/** A worker that is lost is replaced within this, a monitor within twice its lease. */
const workerLimitMs = 15_000;
const monitorLimitMs = 12_000;
/** What looking every 50 ms, and a lookup in Redis, add to a measured time. */
const measuringMs = 500;

type Kind = 'ns4' | 'monitor';

/** One line of the table. */
interface Struck {
  readonly round: number;
  /** After hv01 died. */
  readonly atMs: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly kind: Kind;
  /** Did it own the incident, or lead? */
  readonly incumbent: boolean;
  readonly evacuationsAsked: number;
  /** Until another one owned the incident (led); null: not replaced, as it did not own (lead) or the recovery was over. */
  readonly replacedAfterMs: number | null;
}

let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.open();
});
afterAll(async () => {
  await testbed?.reset();
  await testbed?.close();
});

/** Two of each, restarted when killed and thawed when frozen, as by a supervisor and by fate. */
class Doubled {
  readonly #stage: Stage;
  readonly #members: Record<Kind, Running[]> = { ns4: [], monitor: [] };
  readonly #returning = new Set<Promise<void>>();
  readonly away = new Set<Kind>();

  constructor(on: Stage) {
    this.#stage = on;
    for (const kind of ['ns4', 'ns4', 'monitor', 'monitor'] as const) this.#start(kind);
  }

  #start(kind: Kind): void {
    this.#members[kind].push(this.#stage.household.start(kind, '-vv'));
  }

  /** The one with this process id, or any. */
  pick(kind: Kind, pid: number | null): Running {
    const members = this.#members[kind];
    return members.find((member) => member.child.pid === pid) ?? random.pick(members);
  }

  /** The ns4 that told last of its work at the incident. */
  workerPid(): number | null {
    const told = this.#members.ns4.map((member) => {
      const lines = member.output.split('\n').filter((line) => /at work at|Nova took/.test(line));
      const [, time = ''] = /"time":"([^"]+)"/.exec(lines.at(-1) ?? '') ?? [];
      return { pid: member.child.pid ?? null, time };
    });
    const [latest] = told.sort((a, b) => b.time.localeCompare(a.time));
    return latest === undefined || latest.time === '' ? null : latest.pid;
  }

  async strike(kind: Kind, victim: Running, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
    this.away.add(kind);
    await victim.signal(signal);
    const back = async () => {
      if (signal === 'SIGKILL') {
        this.#members[kind] = this.#members[kind].filter((member) => member !== victim);
        await delay(random.between(500, 3_000));
        this.#start(kind);
      } else {
        await delay(random.between(9_000, 16_000));
        await victim.signal('SIGCONT');
      }
      await delay(1_500);
      this.away.delete(kind);
    };
    const returning = back().finally(() => this.#returning.delete(returning));
    this.#returning.add(returning);
  }

  /** Until all that were killed or frozen are back. */
  async whole(): Promise<void> {
    await Promise.all(this.#returning);
  }
}

/** Polls until the value differs from `from` (and is there); milliseconds, or null when `over` came first. */
async function changed(
  read: () => Promise<string | null>,
  from: string | null,
  over: () => Promise<boolean>,
  limitMs: number,
): Promise<number | null> {
  const sinceMs = Date.now();
  for (;;) {
    const now = await read();
    if (now !== null && now !== from) return Date.now() - sinceMs;
    if (await over()) return null;
    if (Date.now() - sinceMs > limitMs) return Number.POSITIVE_INFINITY;
    await delay(50);
  }
}

async function round(number: number, wanted: number): Promise<Struck[]> {
  await testbed.reset();
  const earlier = new Set((await testbed.evacuations()).map((m) => m.uuid));
  const ids = await testbed.boot('vm', 'hv01', { count: instances });
  const on = await stage(testbed, { DEFAULT: { monitor_period: 4 }, OPENSTACK: { concurrency: 2 } });
  const keys = keysOf(testbed.env.cloud);
  const { redis } = on.household;
  const struck: Struck[] = [];
  try {
    const doubled = new Doubled(on);
    const isThere = async () => (await redis.exists(keys.servers)) === 1;
    await testbed.until('the first inventory', isThere, 30_000);
    await delay(2_000);
    const diedAtMs = Date.now();
    await cloudTool('kill', 'hv01');
    const isEnd = (e: { facts: { kind: string } }) => e.facts.kind === 'evacuation-ended';
    const isOver = async () => (await on.household.events()).some(isEnd);
    await on.household.waitForEvent((e) => e.facts.kind === 'evacuation-requested', 60_000);
    while (struck.length < wanted) {
      await delay(random.between(0, 3_000));
      if (await isOver()) break;
      const kinds = (['ns4', 'ns4', 'monitor'] as const).filter((kind) => !doubled.away.has(kind));
      if (kinds.length === 0) continue;
      const kind = random.pick(kinds);
      const signal = random.pick(['SIGKILL', 'SIGSTOP'] as const);
      const leaderName = await readLeader(redis, keys);
      const leader = Number(leaderName?.split('/').at(-1) ?? 0);
      const preferred = random.chance(0.8) ? (kind === 'ns4' ? doubled.workerPid() : leader) : null;
      const victim = doubled.pick(kind, preferred);
      const read = () => (kind === 'ns4' ? redis.get(keys.incidentOwner('hv01')) : readLeader(redis, keys));
      const before = await read();
      const incumbent =
        kind === 'ns4'
          ? before !== null && victim.child.pid === doubled.workerPid()
          : victim.child.pid === leader;
      const atMs = Date.now() - diedAtMs;
      const asked = (await testbed.evacuations()).filter((m) => !earlier.has(m.uuid)).length;
      await doubled.strike(kind, victim, signal);
      const limitMs = 30_000;
      const replacedAfterMs = incumbent ? await changed(read, before, isOver, limitMs) : null;
      struck.push({
        ...{ round: number, atMs, signal, kind, incumbent },
        ...{ evacuationsAsked: asked, replacedAfterMs },
      });
    }
    const end = await on.household.waitForEvent(isEnd, 180_000);
    // What was frozen is thawed; nothing may change any more.
    await doubled.whole();
    await delay(5_000);
    const story = await on.household.story();
    expect(end.text, story).toContain(`all ${instances} affected instances are back`);
    const servers = await testbed.servers();
    for (let i = 1; i <= instances; i += 1)
      expect(servers.get(`vm-${i}`), story).toMatchObject({
        host: 'hv04',
        status: 'ACTIVE',
        taskState: null,
      });
    const evacuations = (await testbed.evacuations()).filter((m) => !earlier.has(m.uuid));
    expect(evacuations.map((m) => m.instanceId).sort(), story).toEqual([...ids].sort());
    for (const { status } of evacuations) expect(['done', 'completed'], story).toContain(status);
    const kinds = (await on.household.events()).map((e) => e.facts.kind);
    expect(
      kinds.filter((kind) => kind === 'evacuation-requested'),
      story,
    ).toHaveLength(1);
    expect(
      kinds.filter((kind) => kind === 'evacuation-ended'),
      story,
    ).toHaveLength(1);
    return struck;
  } finally {
    await on.close();
  }
}

const row = (cells: readonly (string | number)[]) =>
  cells.map((cell, i) => String(cell).padStart([5, 9, 8, 8, 10, 6, 12][i] ?? 8)).join('  ');

test(`${moments} moments at which a process is killed or frozen: each instance is evacuated once`, async () => {
  const table: Struck[] = [];
  let rounds = 0;
  try {
    while (table.length < moments && rounds < mostRounds) {
      rounds += 1;
      table.push(...(await round(rounds, Math.min(mostPerRound, moments - table.length))));
    }
  } finally {
    const lines = table.map((s) =>
      row([
        ...[s.round, (s.atMs / 1000).toFixed(1), s.signal, s.kind],
        ...[s.incumbent ? (s.kind === 'ns4' ? 'owner' : 'leader') : 'other', s.evacuationsAsked],
        s.replacedAfterMs === null ? '-' : `${(s.replacedAfterMs / 1000).toFixed(1)} s`,
      ]),
    );
    const head = row(['round', 's of hv01', 'signal', 'process', 'was', 'asked', 'replaced in']);
    process.stdout.write(
      `seed ${seed}, ${rounds} recoveries of ${instances}\n${[head, ...lines].join('\n')}\n`,
    );
  }
  expect(table).toHaveLength(moments);
  for (const { kind, replacedAfterMs } of table)
    expect(replacedAfterMs ?? 0).toBeLessThanOrEqual(
      (kind === 'ns4' ? workerLimitMs : monitorLimitMs) + measuringMs,
    );
}, 1_500_000);
