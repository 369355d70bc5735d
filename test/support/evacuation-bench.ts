// A stage for evacuations in process: a simulator with many pairs of a dead hypervisor and a spare, a real Redis, the
// real client and the real handlers. Pauses are a tenth of their length and the time can be moved on, nothing else is
// pretended; where silence does not matter the scan tells what the simulator knows.
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  type BootOptions,
  type RecordedRequest,
  type ServerSnapshot,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../simulator/simulator.ts';
import type { Fencing } from '../../src/ns4/fencing/fencing.ts';
import { recoveryTools } from '../../src/ns4/jobs/recover.ts';
import type { WorkerParts } from '../../src/ns4/jobs/worker-parts.ts';
import type { InstanceMove, MoveResult } from '../../src/ns4/nova-database/nova-database.ts';
import { type CloudClient, type CloudOptions, createCloud } from '../../src/ns4/openstack/client.ts';
import { Journals } from '../../src/ns4/recovery/journal/journals.ts';
import type { Lock } from '../../src/ns4/recovery/journal/lock.ts';
import { RedisJournalStorage } from '../../src/ns4/recovery/journal/redis-journal-storage.ts';
import type { Mover } from '../../src/ns4/recovery/movers/mover.ts';
import { byApi } from '../../src/ns4/recovery/movers/nova/by-api.ts';
import type { Order, RecoveryStorage, RecoveryTools } from '../../src/ns4/recovery/recovery.ts';
import { recover } from '../../src/ns4/recovery/stages/run.ts';
import { type ScanRequest, scan } from '../../src/ns4/scan/scan.ts';
import type { ScanSettings, Settings } from '../../src/shared/config/settings.ts';
import { type Assignments, assignmentTokenOf, recoverJobId } from '../../src/shared/documents/assignments.ts';
import type { EventFacts } from '../../src/shared/documents/events/events.ts';
import type { RecoverData, RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import type { ScanFinding, ScanResult } from '../../src/shared/documents/jobs/scan.ts';
import type { FencingPlans } from '../../src/shared/documents/terms/fencing-plans.ts';
import { recoveryId } from '../../src/shared/documents/terms/incident-id.ts';
import { planOntoSpare } from '../../src/shared/documents/terms/plan.ts';
import { type Clock, systemClock } from '../../src/shared/ground/clock.ts';
import { createLog } from '../../src/shared/ground/log.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { connectRedis } from '../../src/shared/redis/connect.ts';
import type { Db } from '../../src/shared/redis/db.ts';
import { EventLog } from '../../src/shared/redis/event-log.ts';
import { type Keys, keysOf } from '../../src/shared/redis/keys.ts';
import { hostTarget } from '../../src/shared/rules/controls.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { redisClient, settingsOf } from './redis-client.ts';
import { credentialsOf } from './simulated-credentials.ts';
import { noKey } from './trust.ts';

/** Neutron tells heartbeats by the second, and a busy machine beats late. */
export const heartbeatPeriodMs = 3_000;

const quick = {
  reportIntervalMs: 100,
  serviceDownMs: heartbeatPeriodMs,
  agentDownMs: heartbeatPeriodMs,
  resourcesIntervalMs: 200,
  scheduleMs: 25,
  rebuildMs: 50,
  oldHostShownMs: 15,
  hardRebootMs: 40,
  portActiveMs: 20,
  rebindMs: 50,
  keystoneAwayMs: 50,
  neutronAwayMs: 50,
  reconnectMs: 50,
  tokenCacheMs: 100,
};

/** Nova's database as the simulator has it: rows are changed behind Nova's back, on condition. */
export class PretendDatabase {
  readonly moves: InstanceMove[] = [];
  readonly #simulator: () => Simulator;
  constructor(simulator: () => Simulator) {
    this.#simulator = simulator;
  }

  async moveInstances(move: InstanceMove): Promise<MoveResult> {
    this.moves.push(move);
    const simulator = this.#simulator();
    const result: MoveResult = { moved: [], already: [], elsewhere: [] };
    const servers = Object.values(simulator.snapshot().servers);
    for (const id of move.ids) {
      const server = servers.find((s) => s.id === id);
      if (server === undefined) continue;
      const target = { node: move.to.node, from: move.from.host };
      if (server.host === move.to.host) result.already.push(id);
      else if (simulator.rewriteHost(id, move.to.host, target) === 1) result.moved.push(id);
      else result.elsewhere.push({ id, host: server.host ?? 'no host' });
    }
    return result;
  }
}

/** How much shorter pauses are here. */
const haste = 10;

/** The time as a worker has it: real, plus what a test moved it on by; pauses are short. */
export class MovableClock implements Clock {
  /** Time that passed, as everybody sees it. */
  aheadMs: number;
  /** By how much somebody set the time of day. */
  setByMs = 0;
  constructor(aheadMs = 0) {
    this.aheadMs = aheadMs;
  }
  nowMs(): number {
    return Date.now() + this.aheadMs + this.setByMs;
  }
  steadyMs(): number {
    return Date.now() + this.aheadMs;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms / haste, signal);
  }
}

/** Time that passed without anybody's time of day showing it: heartbeats stay as old as they are. */
export class SteadyClock extends MovableClock {
  passedMs = 0;
  override steadyMs(): number {
    return super.steadyMs() + this.passedMs;
  }
}

export interface Pair {
  readonly dead: string;
  readonly spare: string;
  /** Names of the instances on the dead one. */
  readonly names: readonly string[];
}

export const never = new AbortController().signal;

/** No operator says anything. */
export const nobodysWord: RecoveryStorage['word'] = {
  of: async () => null,
  useUp: async () => {},
};

type TakeLock = RecoveryTools['journals']['lock'];

export interface WorkerOptions {
  readonly cloud?: string;
  readonly mover?: Mover;
  /** Default: no proof is demanded. */
  readonly fencing?: Fencing;
  /** Default: Ceph is not asked. */
  readonly storage?: RecoveryStorage;
  readonly localDisks?: 'leave' | 'recover';
  readonly fencingPlans?: () => FencingPlans;
  readonly client?: Partial<CloudOptions>;
  readonly concurrency?: number;
  /** Its own time; default: the one all others have. */
  readonly clock?: MovableClock;
  /** Works as for a monitor, whose assignments it asks for. */
  readonly assigned?: boolean;
  /** The real scan over real sockets; default: what the simulator knows. */
  readonly realScan?: boolean;
  /** What its configuration says of scans, where it differs. */
  readonly scanning?: Partial<Pick<ScanSettings, 'hypervisorPorts' | 'refusedMeans'>>;
  /** Around the lock on a recovery, e.g. to crash at its saves. */
  readonly wrap?: (lock: Lock) => Lock;
}

/** One ns4: its own client, connection and locks. */
export class Worker {
  readonly parts: WorkerParts;
  readonly heard: EventFacts[] = [];
  readonly #options: WorkerOptions;
  readonly #simulator: Simulator;
  readonly #redis: Db;
  readonly #cloud: CloudClient;

  constructor(simulator: Simulator, server: TestRedis, clock: MovableClock, log: string[], o: WorkerOptions) {
    this.#options = o;
    this.#simulator = simulator;
    const settings = processSettings(simulator, server, o);
    const openstack = settings.openstack;
    const keys = keysOf(openstack.cloud);
    const lines = new Writable({
      write: (chunk, _, done) => {
        log.push(String(chunk).trim());
        done();
      },
    });
    const logger = createLog({ name: 'ns4', verbosity: 2, destination: lines });
    this.#redis = connectRedis(settings.redis, openstack.cloud, logger);
    this.#cloud = createCloud(credentialsOf(simulator), {
      clock,
      random: Math.random,
      timeoutMs: 5_000,
      evacuateTimeoutMs: 400,
      ...o.client,
    });
    this.parts = {
      settings,
      openstack,
      cloud: this.#cloud,
      mover: o.mover ?? byApi,
      fencing: o.fencing ?? null,
      storage: o.storage ?? null,
      opened: null,
      blockedHosts: async () => [],
      keepHashes: async () => {},
      ...{ fencingPlan: null, devices: null, ownDevices: null },
      fencingPlans: async () => o.fencingPlans?.() ?? [],
      inventory: new InventoryStore(this.#redis, keys),
      journals: new Journals(new RedisJournalStorage(this.#redis, keys, noKey()), clock, noKey()),
      events: new EventLog(this.#redis, keys),
      clock,
      log: logger,
      heardByAny: async () => new Map(),
      // Without a baseline: the dead of this stage were never alive.
      look: (request, stop) => scan(request, settings.scan, {}, clock, stop),
      strangersAmong: async () => new Set(),
      lookTogether: (_, own) => own.scan(),
    };
  }

  /** What the scan shall say of a host instead of the truth. */
  readonly scans = new Map<string, ScanFinding>();
  /** What the whole scan shall say instead. */
  scanResult: ScanResult | null = null;

  recover(order: RecoverData, stop: AbortSignal = never): Promise<RecoveryReport> {
    return this.#carryOut({ ...order, assignment: assignmentTokenOf(order) }, stop);
  }

  #carryOut(order: Order, stop: AbortSignal): Promise<RecoveryReport> {
    const tools = recoveryTools(this.parts, (facts) => this.heard.push(facts));
    const { journals } = this.parts;
    const lock: TakeLock = async (...args) => {
      const taken = await journals.lock(...args);
      return 'heldByOther' in taken ? taken : (this.#options.wrap?.(taken) ?? taken);
    };
    return recover(
      { ...order, assignment: this.#options.assigned ? order.assignment : null },
      {
        ...tools,
        journals: { open: (h) => journals.open(h), read: (id) => journals.read(id), lock },
        ...(this.#options.realScan ? {} : { scan: async (request) => this.#tell(request) }),
      },
      stop,
    );
  }

  #tell({ targets, controls }: ScanRequest): ScanResult {
    if (this.scanResult !== null) return this.scanResult;
    const { hosts } = this.#simulator.snapshot();
    const finding = ({ name, kind }: ScanRequest['targets'][number]): ScanFinding => {
      const told = this.scans.get(name);
      if (told !== undefined) return told;
      // Whose disks answered before, and do not.
      if (kind === 'disks') return { state: 'silent', detail: 'asked twice' };
      if (kind === 'guest') return { state: 'unknown', neverHeard: true, detail: 'never heard from here' };
      return hosts[name]?.powered
        ? { state: 'answers', detail: 'open' }
        : { state: 'silent', detail: 'silent' };
    };
    const findings = (all: ScanRequest['targets']) =>
      Object.fromEntries(all.map((t) => [t.name, finding(t)]));
    return {
      ok: true,
      outcome: 'seen',
      targets: findings(targets),
      controls: findings(controls),
      tookMs: 0,
    };
  }

  async close(): Promise<void> {
    await this.#cloud.close();
    this.#redis.disconnect();
  }
}

export class EvacuationBench {
  readonly simulator: Simulator;
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock = new MovableClock();
  readonly log: string[] = [];
  readonly #workers: Worker[] = [];
  #pairs = 0;
  #orders = 0;
  readonly #mostPairs: number;

  private constructor(simulator: Simulator, server: TestRedis, pairs: number) {
    this.simulator = simulator;
    this.server = server;
    this.#mostPairs = pairs;
    this.keys = keysOf(simulator.settings.cloud);
    this.redis = redisClient(settingsOf(server), simulator.settings.cloud);
  }

  /** A cloud of `pairs` dead hypervisors, as silent as if for long, as many spares, and one that just lives. */
  static async open(pairs: number, options: SimulatorOptions = {}): Promise<EvacuationBench> {
    const [simulator, server] = await Promise.all([
      startSimulator({
        listen: false,
        ...options,
        computes: 2 * pairs + 1,
        durations: { ...quick, ...options.durations },
      }),
      startRedis(),
    ]);
    const bench = new EvacuationBench(simulator, server, pairs);
    for (let n = 0; n < pairs; n += 1) {
      await simulator.kill(bench.#host(n));
      // Or so many silent hosts would look like the control plane's failure; `pair` takes it back.
      simulator.forceDown(bench.#host(n));
      simulator.spare(bench.#host(n + pairs));
    }
    await bench.silence();
    return bench;
  }

  /** Long enough for the heartbeats of whoever was killed before to count as missing. */
  silence(): Promise<void> {
    return delay(heartbeatPeriodMs + 1_100);
  }

  #host(index: number): string {
    return this.simulator.hosts[index] ?? '';
  }

  /** The host that lives, is enabled, and takes part in nothing. */
  get healthy(): string {
    return this.#host(2 * this.#mostPairs);
  }

  /** A dead hypervisor with instances, and its spare; each pair is handed out once. */
  async pair(instances: number | Readonly<Record<string, BootOptions>> = 3): Promise<Pair> {
    const n = this.#pairs++;
    if (n >= this.#mostPairs) throw new Error(`there are ${this.#mostPairs} pairs only`);
    const wanted =
      typeof instances === 'number'
        ? Object.fromEntries(
            Array.from({ length: instances }, (_, i) => [`vm${String(i + 1).padStart(2, '0')}`, {}]),
          )
        : instances;
    const dead = this.#host(n);
    const names: string[] = [];
    for (const [name, options] of Object.entries(wanted)) {
      names.push(`${dead}-${name}`);
      await this.simulator.boot(`${dead}-${name}`, dead, options);
    }
    this.simulator.unspare(dead);
    return { dead, spare: this.#host(n + this.#mostPairs), names };
  }

  worker(options: WorkerOptions = {}): Worker {
    const worker = new Worker(this.simulator, this.server, options.clock ?? this.clock, this.log, options);
    this.#workers.push(worker);
    return worker;
  }

  /** An order as the monitor gives it. */
  order({ dead, spare }: Pick<Pair, 'dead' | 'spare'>, change: Partial<RecoverData> = {}): RecoverData {
    const nowMs = this.clock.nowMs();
    this.#orders += 1;
    const incident = `incident-${this.#orders}-${dead}`;
    return {
      incident,
      recovery: recoveryId(incident, 1),
      dead,
      plan: planOntoSpare(spare),
      attempt: 1,
      requestedAtMs: nowMs,
      startByMs: nowMs + 60_000,
      judgedAtMs: nowMs - 500,
      epoch: 0,
      evidence: ['a test says so'],
      address: this.simulator.snapshot().hosts[dead]?.address ?? null,
      controls: [hostTarget(this.healthy, null, { hypervisorPorts: [] })],
      proofDemanded: false,
      despite: [],
      byHand: false,
      sonny: 'bench',
      ...change,
    };
  }

  /** The leading monitor's assignments with the job of an order, in Redis. */
  async assign(order: RecoverData, change: Partial<Assignments> = {}): Promise<void> {
    const { recovery, attempt, epoch } = order;
    const jobs = { [recovery]: recoverJobId(recovery, attempt) };
    await this.redis.set(this.keys.assignments, JSON.stringify({ epoch, revision: 1, jobs, ...change }));
  }

  /** A second look at an order, by a worker whose clock is `aheadMs` ahead. */
  later(order: RecoverData, aheadMs: number): RecoverData {
    const { judgedAtMs, startByMs, attempt } = order;
    return {
      ...order,
      attempt: attempt + 1,
      judgedAtMs: judgedAtMs + aheadMs,
      startByMs: startByMs + aheadMs,
    };
  }

  /** Nova goes away and is not back before the worker gave up; what that says then. */
  async withoutNova(clock: MovableClock, running: Promise<RecoveryReport>): Promise<RecoveryReport> {
    await this.simulator.stop('nova');
    await delay(700);
    clock.aheadMs += 601_000;
    return running.finally(() => this.simulator.start('nova'));
  }

  seen(name: string): ServerSnapshot {
    const server = this.simulator.snapshot().servers[name];
    if (server === undefined) throw new Error(`no such instance: ${name}`);
    return server;
  }

  /** Changes that reached an API, oldest first, from the `from`th request on. */
  changes(from = 0): RecordedRequest[] {
    return this.simulator.requests
      .slice(from)
      .filter((r) => ['POST', 'PUT', 'DELETE'].includes(r.method) && r.api !== 'keystone');
  }

  /** Ends workers and servers. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    this.redis.disconnect();
    await Promise.all([this.simulator.close(), this.server.stop()]);
  }
}

function processSettings(simulator: Simulator, server: TestRedis, options: WorkerOptions) {
  const { hypervisorPorts, instancePorts, cloud, externalNetwork } = simulator.settings;
  return {
    file: 'none',
    monitor: {
      monitorPeriodMs: 1_000,
      heartbeatPeriodMs,
      suspiciousBackoff: 5,
      deadBackoff: 1,
      cooldownMs: 3_600_000,
      silenceAlarmMs: 0,
    },
    redis: settingsOf(server),
    openstack: {
      cloud: options.cloud ?? cloud,
      externalNetworks: [externalNetwork],
      method: options.mover?.name ?? 'api',
      concurrency: options.concurrency ?? 8,
    },
    mysql: null,
    scan: {
      hypervisorPorts: [...hypervisorPorts.open, ...hypervisorPorts.closed],
      instancePorts: instancePorts.open,
      timeoutMs: 300,
      refusedMeans: 'alive',
      controls: [],
      quorum: 1,
      name: 'bench',
      fences: true,
      ...options.scanning,
    },
    fencing: { mode: 'none', file: null, timeoutMs: 5_000 },
    ceph: null,
    recovery: { disabledHosts: 'leave', localDisks: options.localDisks ?? 'leave', answerTimeoutMs: 30_000 },
    slack: { token: null, appToken: null, channel: null, ask: [], direct: false, clouds: [], apiUrl: null },
    alarm: { deadManUrl: null },
  } as const satisfies Settings;
}
