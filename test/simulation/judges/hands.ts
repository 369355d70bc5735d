// Judges whose hand changes the cloud: a worker that holds the lock of the host, for the job that the leader wants, on
// facts of its own that speak for it. By what Redis truly holds, without the code under test.

import type { Host } from '../../../simulator/world/model.ts';
import type { Order } from '../../../src/ns4/recovery/recovery.ts';
import type { Assignments } from '../../../src/shared/documents/assignments.ts';
import type { Servers } from '../../../src/shared/documents/inventory.ts';
import type { ScanResult } from '../../../src/shared/documents/jobs/scan.ts';
import { targetHosts } from '../../../src/shared/documents/terms/plan.ts';
import type { Process } from '../processes/process.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { World } from '../world/world.ts';
import { must } from './violation.ts';

/** What a worker that carries out an order knows. */
interface Course {
  readonly order: Order;
  /** It came after its time, by the worker's clock. */
  readonly isLate: boolean;
  servers: Servers | null;
  scan: ScanResult | null;
}

/** A worker may go on for so long on what it was told last. */
const confirmedMs = 2_500;

export class Hands {
  /** Redis forgot something then: what stood in it may be missing, until its owners write it again. */
  forgottenMs = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  readonly #redis: PretendRedis;
  readonly #courses = new Map<string, readonly Course[]>();
  /** Which process took a lock, by its token. */
  readonly #takers = new Map<string, Process>();
  readonly #assigned: { readonly fromMs: number; readonly assignments: Assignments }[] = [];

  constructor(world: World, redis: PretendRedis) {
    this.#world = world;
    this.#redis = redis;
  }

  begins({ name, clock }: Process, order: Order): void {
    const course: Course = { order, isLate: clock.nowMs() > order.startByMs, servers: null, scan: null };
    const key = `${name} ${order.dead}`;
    // One process may get a job again while it is still at an earlier attempt.
    this.#courses.set(key, [...(this.#courses.get(key) ?? []).slice(-3), course]);
  }

  read(process: Process, order: Order, servers: Servers): void {
    for (const course of this.#of(process, order.dead)) if (course.order === order) course.servers = servers;
  }

  scanned(process: Process, order: Order, scan: ScanResult): void {
    for (const course of this.#of(process, order.dead)) if (course.order === order) course.scan = scan;
  }

  /** Of the order that this worker carries out about a host; null: there is none. */
  incidentOf(process: Process, host: string): string | null {
    return this.#of(process, host).at(-1)?.order.incident ?? null;
  }

  takes(process: Process, token: string): void {
    this.#takers.set(token, process);
  }

  assigned(assignments: Assignments): void {
    this.#assigned.push({ fromMs: this.#world.timeline.nowMs, assignments });
    if (this.#assigned.length > 20) this.#assigned.shift();
  }

  /** Is the recovery of this host that Redis knows to be open one that somebody began without the monitor? */
  isByHandAlone({ name }: Host): boolean {
    return this.#redis.get<string>(`open:${name}`)?.startsWith('by-hand-') ?? false;
  }

  /** A request that starts an instance of this host elsewhere leaves. */
  moves(process: Process, host: Host, target: string): void {
    this.changes(process, host, false);
    must(
      this.#of(process, host.name).some(({ order }) => targetHosts(order.plan).includes(target)),
      'no instance is moved onto another spare than ordered',
      `${process.name} at ${host.name}: ${target}`,
    );
  }

  /** A request that changes something about this host or its instances leaves. `first`: the one that forces it down. */
  changes(process: Process, host: Host, first: boolean): void {
    const { timeline } = this.#world;
    const detail = `${process.name} at ${host.name}`;
    const courses = this.#of(process, host.name);
    must(courses.length > 0, 'nothing is changed without an order', detail);
    // A machine that was paused between the confirmation and the request, which followed at once, cannot know of it.
    if (timeline.nowMs - this.forgottenMs > confirmedMs && !process.isUnaware) {
      const holder = this.#takers.get(this.#redis.get<string>(`owner:${host.name}`) ?? '');
      must(holder === process, 'only the worker that holds the lock changes anything', detail);
      must(
        courses.some((course) => this.#isWanted(course.order)),
        'only the job that the leader wants changes anything',
        detail,
      );
    }
    if (!first || host.forcedDown) return;
    const lacks = courses.map((course) => lackOf(course));
    must(lacks.includes(null), lacks.at(-1) ?? '', detail);
  }

  #isWanted({ assignment }: Order): boolean {
    if (assignment === null) return true;
    const sinceMs = this.#world.timeline.nowMs - confirmedMs;
    const isOver = (i: number) => (this.#assigned[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY) < sinceMs;
    const known = this.#redis.get<Assignments>('assignments') !== undefined;
    return (
      known &&
      this.#assigned.some(
        ({ assignments }, i) => !isOver(i) && assignments.jobs[assignment.recovery] === assignment.jobId,
      )
    );
  }

  #of({ name }: Process, host: string): readonly Course[] {
    return this.#courses.get(`${name} ${host}`) ?? [];
  }
}

/** The invariant that the facts of this course do not meet; null when they do. */
function lackOf({ order, isLate, servers, scan }: Course): string | null {
  if (isLate) return 'nothing is begun on an order that comes too late';
  const seen = scan?.ok ? scan : null;
  if (seen === null) return 'ns4 saw for itself that the host is silent';
  const found = seen.targets[order.dead];
  // Whose silence counts is judged at the verdict; by hand, and for what was begun, it counts in any case.
  if (found?.state !== 'silent' && !found?.neverHeard) return 'ns4 saw for itself that the host is silent';
  // Each vantage point by what it heard itself: no two of them need to hear the same.
  const sighted = (seen.vantagePoints ?? []).filter(({ heard }) => heard.length > 0);
  if (sighted.length < (seen.quorum ?? 1)) return "controls answered ns4's own scan";
  if (servers?.servers.some((server) => server.host !== null && order.plan.enable.includes(server.host)))
    return 'nothing is begun onto a spare that is in use';
  return null;
}
