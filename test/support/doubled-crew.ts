// Two monitors and two ns4 of one cloud, as real processes: who leads and who works at the recovery now, and when
// somebody else does so instead.
import type { Redis } from 'ioredis';
import { databaseNumber, keysOf } from '../../src/shared/redis/keys.ts';
import { readLeader } from '../../src/shared/redis/leader.ts';
import type { Household, Running } from './processes.ts';

export type Role = 'monitor' | 'ns4';

/** One place for a process; a killed one is started again in it, as a service manager would. */
export interface Post {
  readonly role: Role;
  readonly name: string;
  process: Running;
}

/** One line of a process' log, as pino writes it. */
interface LogLine {
  readonly msg: string;
  readonly job?: string;
  readonly id?: string;
}

const lines = (running: Running): LogLine[] =>
  running.output.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as LogLine] : [];
    } catch {
      // Half a line, or one for people.
      return [];
    }
  });

export class DoubledCrew {
  readonly #household: Household;
  readonly #keys: ReturnType<typeof keysOf>;
  readonly #dead: string;
  readonly #listener: Redis;
  /** Writes of the claim on the recovery, and of its journal, in order of time. */
  readonly #writes: { readonly atMs: number; readonly what: 'claim' | 'journal' }[] = [];
  readonly posts: Post[] = [];

  private constructor(household: Household, cloud: string, dead: string) {
    this.#household = household;
    this.#keys = keysOf(cloud);
    this.#dead = dead;
    this.#listener = household.redis.duplicate();
    this.#listener.on('error', () => {});
  }

  static async start(household: Household, cloud: string, dead: string): Promise<DoubledCrew> {
    const crew = new DoubledCrew(household, cloud, dead);
    await household.redis.config('SET', 'notify-keyspace-events', 'K$');
    const space = `__keyspace@${databaseNumber(cloud)}__:`;
    const claim = `${space}${crew.#keys.lock(dead)}`;
    await crew.#listener.psubscribe(claim.replaceAll('{', '?').replaceAll('}', '?'), `${space}*:incident:*`);
    crew.#listener.on('pmessage', (_pattern: string, channel: string, message: string) => {
      if (message === 'set')
        crew.#writes.push({ atMs: Date.now(), what: channel === claim ? 'claim' : 'journal' });
    });
    for (const role of ['monitor', 'ns4'] as const)
      for (const n of [1, 2]) {
        const name = `${role}-${n}`;
        household.configure(`${name}.ini`, { SCAN: { name: `ctl${n}` } });
        crew.posts.push({ role, name, process: household.start(role, '-vv', '-c', `${name}.ini`) });
      }
    return crew;
  }

  close(): void {
    this.#listener.disconnect();
  }

  /** Starts a killed one again. */
  restart(post: Post): void {
    post.process = this.#household.start(post.role, '-vv', '-c', `${post.name}.ini`);
  }

  /** Whoever leads, or whose job the recovery is, now; null when nobody is. */
  async busy(role: Role): Promise<Post | null> {
    const ofRole = this.posts.filter((post) => post.role === role && post.process.alive);
    if (role === 'monitor') {
      const leader = await readLeader(this.#household.redis, this.#keys);
      return ofRole.find((post) => leader?.endsWith(`/${post.process.child.pid}`)) ?? null;
    }
    const jobs = ofRole.flatMap((post) => openJobs(post.process).map((id) => ({ post, id })));
    jobs.sort((a, b) => attemptOf(b.id) - attemptOf(a.id));
    return jobs[0]?.post ?? null;
  }

  /** When another monitor led, or null while none does. */
  async followed(former: Post): Promise<boolean> {
    const leader = await readLeader(this.#household.redis, this.#keys);
    return leader !== null && !leader.endsWith(`/${former.process.child.pid}`);
  }

  /** The first write of the journal under the first claim taken since then; null while there is none. */
  firstActionSince(sinceMs: number): { readonly claimedAtMs: number; readonly wroteAtMs: number } | null {
    const claim = this.#writes.findIndex(({ atMs, what }) => what === 'claim' && atMs > sinceMs);
    if (claim < 0) return null;
    const write = this.#writes.slice(claim).find(({ what }) => what === 'journal');
    if (write === undefined) return null;
    return { claimedAtMs: this.#writes[claim]?.atMs ?? 0, wroteAtMs: write.atMs };
  }

  /** How far the recovery is: "3 of 10 moved, 2 under way". */
  async phase(): Promise<string> {
    const { redis } = this.#household;
    const id = await redis.get(this.#keys.openJournal(this.#dead));
    const text = id === null ? null : await redis.get(this.#keys.journal(id));
    if (text === null) return 'before its journal';
    const { instances } = JSON.parse(text) as { instances: Record<string, { state: string }> };
    const states = Object.values(instances).map(({ state }) => state);
    const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
    return `${count('ended')} of ${states.length} moved, ${count('asking', 'asked')} under way`;
  }
}

const attemptOf = (jobId: string): number => Number(jobId.split('-').at(-1));

/** Evacuations that a process took and has not ended yet, by its own log. */
export function openJobs(running: Running): string[] {
  const open = new Set<string>();
  for (const { msg, job, id } of lines(running)) {
    if (job !== 'evacuate' || id === undefined) continue;
    if (msg === 'job begins') open.add(id);
    else open.delete(id);
  }
  return [...open];
}

/** What a process made Nova do since its output had this length, until it gave up the job it had then. */
export function requestsOfFormerJob(running: Running, fromLength: number): string[] {
  const since = lines({ ...running, output: running.output.slice(fromLength) } as Running);
  const end = since.findIndex(({ msg, job }) => job === 'evacuate' && msg !== 'job begins');
  return (end < 0 ? since : since.slice(0, end))
    .map(({ msg }) => msg)
    .filter((msg) => msg.startsWith('Nova took'));
}
