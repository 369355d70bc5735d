// Judges whose hand changes the cloud: a worker that holds the claim on the host, for the job that the leader wants, on
// facts of its own that speak for it. By what Redis truly holds, without the code under test.
import type { Order } from '../../../src/ns4/evacuation/course.ts';
import type { ScanResult } from '../../../src/shared/contracts.ts';
import type { Servers } from '../../../src/shared/inventory.ts';
import type { Mandate } from '../../../src/shared/mandate.ts';
import type { Process } from '../processes/process.ts';
import type { Host } from '../world/model.ts';
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
  readonly #courses = new Map<string, Course>();
  /** Which process took a claim, by its token. */
  readonly #takers = new Map<string, Process>();
  readonly #mandates: { readonly fromMs: number; readonly mandate: Mandate }[] = [];

  constructor(world: World, redis: PretendRedis) {
    this.#world = world;
    this.#redis = redis;
  }

  begins({ name, clock }: Process, order: Order): void {
    const isLate = clock.nowMs() > order.startByMs;
    this.#courses.set(`${name} ${order.dead}`, { order, isLate, servers: null, scan: null });
  }

  read({ name }: Process, dead: string, servers: Servers): void {
    const course = this.#courses.get(`${name} ${dead}`);
    if (course !== undefined) course.servers = servers;
  }

  scanned({ name }: Process, dead: string, scan: ScanResult): void {
    const course = this.#courses.get(`${name} ${dead}`);
    if (course !== undefined) course.scan = scan;
  }

  takes(process: Process, token: string): void {
    this.#takers.set(token, process);
  }

  mandated(mandate: Mandate): void {
    this.#mandates.push({ fromMs: this.#world.timeline.nowMs, mandate });
    if (this.#mandates.length > 20) this.#mandates.shift();
  }

  /** A request that changes something about this host or its instances leaves. `first`: the one that forces it down. */
  changes(process: Process, host: Host, first: boolean): void {
    const { timeline } = this.#world;
    const detail = `${process.name} at ${host.name}`;
    const course = this.#courses.get(`${process.name} ${host.name}`);
    must(course !== undefined, 'nothing is changed without an order', detail);
    if (course === undefined) return;
    if (timeline.nowMs - this.forgottenMs > confirmedMs) {
      const holder = this.#takers.get(this.#redis.get<string>(`owner:${host.name}`) ?? '');
      must(holder === process, 'only the worker that holds the claim changes anything', detail);
      must(this.#isWanted(course.order), 'only the job that the leader wants changes anything', detail);
    }
    if (first && !host.forcedDown) this.#judgeFacts(course, host.name);
  }

  #isWanted({ warrant }: Order): boolean {
    if (warrant === null) return true;
    const sinceMs = this.#world.timeline.nowMs - confirmedMs;
    const isOver = (i: number) => (this.#mandates[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY) < sinceMs;
    const known = this.#redis.get<Mandate>('mandate') !== undefined;
    return (
      known &&
      this.#mandates.some(({ mandate }, i) => !isOver(i) && mandate.jobs[warrant.incident] === warrant.jobId)
    );
  }

  #judgeFacts({ order, isLate, servers, scan }: Course, host: string): void {
    must(!isLate, 'nothing is begun on an order that comes too late', host);
    const seen = scan?.ok ? scan : null;
    must(seen?.targets[host]?.state === 'silent', 'ns4 saw for itself that the host is silent', host);
    const answering = Object.values(seen?.controls ?? {}).filter(({ state }) => state === 'answers');
    must(answering.length > 0, "controls answered ns4's own scan", host);
    const strays = servers?.servers.filter((server) => server.host === order.spare) ?? [];
    must(strays.length === 0, 'nothing is begun onto a spare that is in use', `${host} -> ${order.spare}`);
  }
}
