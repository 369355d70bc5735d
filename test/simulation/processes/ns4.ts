// One ns4 worker: the real refresh and the real evacuation on a pretend OpenStack, Redis and network.

import { isCellDown } from '../../../simulator/world/cells.ts';
import { moveRows } from '../../../simulator/world/nova-database.ts';
import type { World } from '../../../simulator/world/world.ts';
import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import { CloudError } from '../../../src/ns4/cloud/cloud.ts';
import { carryOut, type OwnDevices, tellStatus } from '../../../src/ns4/fencing/far/carry-out.ts';
import type { Fencing } from '../../../src/ns4/fencing/fencing.ts';
import { lookAtRecovered } from '../../../src/ns4/jobs/look-at-recovered.ts';
import { refreshInventory } from '../../../src/ns4/jobs/refresh-inventory.ts';
import type { InstanceMove } from '../../../src/ns4/nova-database/nova-database.ts';
import { Journals } from '../../../src/ns4/recovery/journal/journals.ts';
import { byDatabase } from '../../../src/ns4/recovery/movers/database/by-database.ts';
import { byApi } from '../../../src/ns4/recovery/movers/nova/by-api.ts';
import type { Order, RecoveryTools } from '../../../src/ns4/recovery/recovery.ts';
import { recover } from '../../../src/ns4/recovery/stages/run.ts';
import { assignmentTokenOf } from '../../../src/shared/documents/assignments.ts';
import type { EventFacts } from '../../../src/shared/documents/events/events.ts';
import type { Hosts, Servers } from '../../../src/shared/documents/inventory.ts';
import type { JobData, JobName, JobResult } from '../../../src/shared/documents/jobs/contracts.ts';
import type { AskedAbout } from '../../../src/shared/documents/jobs/look-at-recovered.ts';
import type { RecoveryReport } from '../../../src/shared/documents/jobs/recover.ts';
import type { ScanFinding, ScanResult, ScanTarget } from '../../../src/shared/documents/jobs/scan.ts';
import type { FencingPlans } from '../../../src/shared/documents/terms/fencing-plans.ts';
import { planOntoSpare } from '../../../src/shared/documents/terms/plan.ts';
import type { Clock } from '../../../src/shared/ground/clock.ts';
import { OperationalError } from '../../../src/shared/ground/errors.ts';
import { Picture } from '../../../src/shared/picture/picture.ts';
import { noServers } from '../../../src/shared/picture/reading.ts';
import { controlsFor } from '../../../src/shared/rules/control-plane.ts';
import { policyOf } from '../../../src/shared/rules/policy.ts';
import { keyed } from '../../support/trust.ts';
import type { CloudLink } from './cloud-link.ts';
import type { DisksParts } from './disks-parts.ts';
import type { TakenJob, Taker } from './jobs.ts';
import { journalStorage } from './journal-storage.ts';
import { liftByHand } from './lift-by-hand.ts';
import type { ScanTogether } from './look-together.ts';
import { ownScanOf } from './own-scan.ts';
import type { Process } from './process.ts';
import type { RedisLink } from './redis-link.ts';
import { silentLog } from './silent-log.ts';
import { PretendInventory } from './storage.ts';
import type { ScanQuestion, SeenScan } from './vantage-point.ts';

export interface Ns4Parts {
  readonly process: Process;
  readonly link: RedisLink;
  readonly cloud: CloudLink;
  /** A scan by all vantage points of the cloud; `isOwn`: for what this worker does, not for the monitor. */
  lookTogether(question: ScanQuestion, isOwn: boolean): Promise<ScanTogether>;
  /** Null: Ceph is not asked. */
  readonly ceph: DisksParts | null;
  readonly world: World;
  readonly rules: Rules;
  readonly method: 'api' | 'database';
  readonly concurrency: number;
  readonly fencing: Fencing | null;
  /** What it does for workers that do not fence; null: it does not either. */
  readonly ownDevices: OwnDevices | null;
  /** By which plans those fence that are there. */
  plans(): FencingPlans;
  readonly witness: Ns4Witness;
}

/** What the judges are told of a worker's doings. */
interface Ns4Witness {
  /** `open`: hosts whose disks answered all the time, where they could be asked; `asked`: whose were asked about. */
  scanned(
    jobId: string,
    seen: readonly SeenScan[],
    disks: { readonly asked: readonly string[]; readonly open: readonly string[] },
  ): void;
  /** Hosts whose disks answer whoever asks now. */
  open(): readonly string[];
  reading(jobId: string | null): (inventory: { hosts: Hosts; servers: Servers | null }) => void;
  said(facts: EventFacts): void;
  locks(token: string): void;
  begins(order: Order): void;
  /** What it reads and sees for itself on the way. */
  read(order: Order, servers: Servers): void;
  looked(order: Order, scan: ScanResult): void;
}

const serversAgeMs = 600_000;

export class Ns4 implements Taker {
  readonly #parts: Ns4Parts;

  constructor(parts: Ns4Parts) {
    this.#parts = parts;
  }

  get process(): Process {
    return this.#parts.process;
  }

  get link(): RedisLink {
    return this.#parts.link;
  }

  /** As this vantage point finds the disks of a host. */
  async lookAtDisks(target: ScanTarget): Promise<ScanFinding> {
    const { ceph } = this.#parts;
    if (ceph === null) return { state: 'unknown', detail: 'this ns4 does not ask Ceph ([CEPH])' };
    return ceph.disks.look(target, new AbortController().signal);
  }

  takes(name: JobName): boolean {
    return this.#parts.ownDevices !== null || (name !== 'fence-status' && name !== 'fence-off');
  }

  async carryOut(id: string, { name, data }: TakenJob, signal: AbortSignal): Promise<JobResult<JobName>> {
    // One cast: the data of a job are those of its name.
    const dataOf = <N extends JobName>(_: N) => data as JobData<N>;
    const { ownDevices } = this.#parts;
    switch (name) {
      case 'refresh-inventory':
        return this.#refreshed(id, dataOf(name).servers, signal);
      case 'scan':
        return this.#scanned(id, dataOf(name), false);
      case 'survey-senses':
        // Whom nobody could tell dead is for people; histories judge what is done, and what is said of the dead.
        return { ok: true, unjudged: [], count: 0, of: this.#parts.world.hosts.size };
      case 'look-at-recovered':
        return this.#atRecovered(dataOf(name).hosts, signal);
      case 'recover': {
        const asked = dataOf(name);
        return this.#ordered({ ...asked, assignment: assignmentTokenOf(asked) }, signal);
      }
      case 'fence-status':
      case 'fence-off': {
        if (ownDevices === null) throw new Error('a job of fencing for a worker that does not fence');
        return name === 'fence-status'
          ? tellStatus(dataOf(name), ownDevices, signal)
          : carryOut(dataOf(name), ownDevices, signal);
      }
    }
  }

  async #refreshed(
    id: string,
    servers: boolean,
    signal: AbortSignal,
  ): Promise<JobResult<'refresh-inventory'>> {
    const { process } = this.#parts;
    const startedAtMs = process.clock.nowMs();
    try {
      const inventory = await this.#refresh(servers, signal, id);
      return {
        ...{ ok: true, collectedAtMs: inventory.hosts.collectedAtMs },
        serversCollectedAtMs: inventory.servers?.collectedAtMs ?? null,
        hypervisors: inventory.hosts.hypervisors.length,
        servers: inventory.servers?.servers.length ?? null,
        tookMs: process.clock.nowMs() - startedAtMs,
      };
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      return { ok: false, detail: error.message };
    }
  }

  /** `jobId`: of the job that asks for it; null: the worker itself does. */
  async #refresh(askedForServers: boolean, signal: AbortSignal, jobId: string | null = null) {
    const { cloud, process, link, plans, rules, witness } = this.#parts;
    const read = witness.reading(jobId);
    const stored = new PretendInventory(link);
    const oldMs = stored.serversCollectedAtMs() ?? 0;
    const servers = askedForServers || process.clock.nowMs() - oldMs > serversAgeMs;
    const fencingPlans = rules.fencing === 'none' ? [] : await link.call(() => plans());
    const options = {
      servers,
      externalNetworks: outside(this.#parts.world),
      earlier: stored.before(),
      fencingPlans,
    };
    const inventory = await refreshInventory(cloud, 'pretend', options, process.clock, signal);
    await stored.write(inventory.hosts, inventory.servers);
    read(inventory);
    return inventory;
  }

  async #scanned(id: string, question: ScanQuestion, isOwn: boolean): Promise<ScanResult> {
    const { process, witness } = this.#parts;
    const openAtFirst = witness.open();
    const { result, seen, tookMs } = await this.#parts.lookTogether(question, isOwn);
    const openNow = witness.open();
    const asked = question.targets.flatMap(({ disksOf }) => disksOf?.host ?? []);
    const open = openAtFirst.filter((host) => openNow.includes(host));
    witness.scanned(id, seen, { asked, open });
    return process.answer(tookMs, () => result);
  }

  async #atRecovered(
    hosts: readonly AskedAbout[],
    signal: AbortSignal,
  ): Promise<JobResult<'look-at-recovered'>> {
    const { process, cloud, link, rules } = this.#parts;
    const stored = new PretendInventory(link);
    const shown = await lookAtRecovered(hosts, {
      ...{ cloud, signal, ...rules, clock: process.clock },
      inventory: (left) => stored.read(() => ({ ...noServers, hosts: left })),
      scan: async (targets) => {
        const { result, tookMs } = await this.#parts.lookTogether({ targets, controls: [] }, true);
        return process.answer(tookMs, () => result);
      },
    });
    return { ok: true, hosts: shown };
  }

  /** As `ns4 -d DEAD -s SPARE --alone` does it, in this worker's stead. */
  async byHand(dead: string, spare: string): Promise<void> {
    const nowMs = this.process.clock.nowMs();
    const { world, link, rules } = this.#parts;
    const known = link.redis.get<Hosts>('hosts');
    const controls =
      known === undefined ? [] : controlsFor(new Set([dead]), Picture.of(known, null), nowMs, rules);
    const names = { incident: `by-hand-${dead}`, recovery: `by-hand-${dead}.1`, dead };
    const order: Order = {
      ...{ ...names, plan: planOntoSpare(spare), evidence: [], controls, assignment: null },
      ...{ proofDemanded: false, despite: [], byHand: true, sonny: 'by-hand' },
      ...{ requestedAtMs: nowMs, startByMs: nowMs + 600_000, judgedAtMs: nowMs },
      address: world.host(dead).address,
    };
    await this.#ordered(order, new AbortController().signal).catch(() => undefined);
  }

  /** See lift-by-hand.ts. */
  liftByHand(host: string, isSure: () => boolean): Promise<void> {
    return liftByHand(host, isSure, this.#parts);
  }

  async #ordered(order: Order, signal: AbortSignal): Promise<RecoveryReport> {
    this.#parts.witness.begins(order);
    const report = await recover(order, this.#tools(order), signal);
    // As the real handler does: who asks in the next minutes is to see where the instances are.
    if (report.acted && !signal.aborted) this.#refresh(true, signal).catch(() => undefined);
    return report;
  }

  /** As long as nothing happens in Nova short pauses are long: most looks in vain are left out. */
  #patientClock(): Clock {
    const { process, world } = this.#parts;
    let seen = -1;
    return {
      nowMs: () => process.clock.nowMs(),
      steadyMs: () => process.clock.steadyMs(),
      sleep: (ms, signal) => {
        const quiet = ms < 1_000 && seen === world.version;
        seen = world.version;
        return process.sleep(quiet ? ms * 10 : ms, signal);
      },
    };
  }

  #tools(order: Order): RecoveryTools {
    const { cloud, process, link, rules, witness, method, world, concurrency, fencing, plans, ceph } =
      this.#parts;
    const clock = this.#patientClock();
    const database = {
      moveInstances: async (move: InstanceMove) => {
        // It is the database of their cell.
        if (isCellDown(world, world.host(move.from.host)))
          throw new OperationalError("Nova's database is away");
        return moveRows(world, move);
      },
    };
    return {
      ...{ cloud, clock, concurrency, fencing, log: silentLog, storage: ceph?.storage ?? null },
      fencingPlans: () => link.call(() => plans()),
      mover: method === 'api' ? byApi : byDatabase(database),
      journals: new Journals(
        journalStorage(link, (token) => witness.locks(token)),
        process.clock,
        // Signed as by a key file: what is written costs and weighs what it does then.
        keyed('pretend', { clock: process.clock }),
      ),
      policy: policyOf('', rules),
      hypervisorPorts: rules.hypervisorPorts,
      instancePorts: rules.instancePorts,
      ...{ answerTimeoutMs: 120_000, localDisks: 'leave' },
      refresh: async (signal) => {
        const { hosts, servers } = await this.#refresh(true, signal);
        if (servers === null) throw new Error('a refresh with servers brought none');
        witness.read(order, servers);
        return { hosts, servers };
      },
      known: (host) => new PretendInventory(link).read(() => ({ ...noServers, hosts: [host] })),
      scan: async (question) => {
        // The other vantage points are asked by way of Redis.
        await link.call(() => undefined);
        const scan = await this.#scanned(ownScanOf(process), question, true);
        // Of the host itself: its guests are asked by themselves before the first change.
        if (question.targets.some(({ name }) => name === order.dead)) witness.looked(order, scan);
        return scan;
      },
      // A lost event is no reason to stop: the report tells it all again.
      say: async (facts) => {
        await link.call(() => witness.said(facts)).catch(() => undefined);
      },
    };
  }
}

/** The networks that config.ini names. */
const outside = ({ networks }: World): string[] =>
  networks.filter(({ external }) => external).map(({ name }) => name);
