// The real fencing of a worker over pretend devices, near or through another worker, with what it keeps in the pretend
// Redis.
import type { DeviceFault, Host } from '../../../simulator/world/model.ts';
import type { World } from '../../../simulator/world/world.ts';
import type { BystanderWatch } from '../../../src/ns4/fencing/bystanders.ts';
import type { CephFence } from '../../../src/ns4/fencing/ceph-level.ts';
import type { OwnDevices } from '../../../src/ns4/fencing/far/carry-out.ts';
import { farDevices } from '../../../src/ns4/fencing/far/far-devices.ts';
import type { FenceOrders } from '../../../src/ns4/fencing/far/orders.ts';
import { createFencing, type Fencing } from '../../../src/ns4/fencing/fencing.ts';
import type { Confirmation } from '../../../src/ns4/fencing/operator-confirmations.ts';
import type { Proof } from '../../../src/ns4/fencing/proof.ts';
import type { Shot } from '../../../src/ns4/fencing/shots.ts';
import { usableConfirmation } from '../../../src/ns4/fencing/usable-confirmation.ts';
import type { RecoveryStorage } from '../../../src/ns4/recovery/recovery.ts';
import type { Assignments } from '../../../src/shared/documents/assignments.ts';
import type { PlanOfOne } from '../../../src/shared/documents/terms/fencing-plans.ts';
import type { Clock } from '../../../src/shared/ground/clock.ts';
import type { Random } from '../random.ts';
import type { Setting } from '../setting.ts';
import { PretendDevices } from './fence.ts';
import type { Jobs } from './jobs.ts';
import { owner } from './journal-storage.ts';
import type { RedisLink } from './redis-link.ts';
import { silentLog } from './silent-log.ts';

export const bystandersKey = (host: string): string => `bystanders:${host}`;
export const wordKey = (host: string): string => `word:${host}`;
const shotKey = (host: string, incident: string, level: number, device: number) =>
  `shot:${host}:${incident}:${level}:${device}`;
const orderKey = (id: string) => `fence-order:${id}`;

const confirmationsIn = (link: RedisLink) => ({
  of: (host: string) => link.call(() => link.redis.get<Confirmation>(wordKey(host)) ?? null),
  useUp: (host: string) => link.call(() => link.redis.delete(wordKey(host))),
});

/** An operator's word that a host is off. */
export function wordIn(link: RedisLink): RecoveryStorage['word'] {
  const confirmations = confirmationsIn(link);
  const parts = { confirmations, clock: link.process.clock, log: silentLog };
  return {
    of: (host, heardAtMs) => usableConfirmation(host, heardAtMs, parts),
    useUp: async (host) => {
      await confirmations.useUp(host);
    },
  };
}

function ordersIn(link: RedisLink): FenceOrders {
  const { redis } = link;
  return {
    place: (id) =>
      link.call(() => {
        redis.set(orderKey(id), 'open', 600_000);
        return redis.timeline.nowMs;
      }),
    take: ({ id, right }, host, taker) =>
      link.call(() => {
        if (redis.get(owner(host)) !== right.token) return 'not-locked';
        const order = redis.get<string>(orderKey(id));
        if (order !== 'open' && order !== taker) return 'gone';
        redis.set(orderKey(id), taker, 3_600_000);
        return { nowMs: redis.timeline.nowMs, assignments: redis.get<Assignments>('assignments') ?? null };
      }),
    withdraw: (id) =>
      link.call(() => {
        if (redis.get<string>(orderKey(id)) !== 'open') return true;
        redis.delete(orderKey(id));
        return false;
      }),
  };
}

interface FencingParts {
  readonly name: string;
  readonly link: RedisLink;
  readonly jobs: Jobs;
  readonly world: World;
  readonly random: Random;
  readonly aims: ReadonlyMap<string, string>;
  readonly levels: Setting['levels'];
  /** Null: the disks are elsewhere. */
  readonly ceph: CephFence | null;
  /** Does it ask and tell its devices itself? */
  readonly fences: boolean;
  /** This worker's own plan, and those of all that fence. */
  ownPlan(): string;
  plans(): readonly PlanOfOne[];
  /** A device is about to be told. */
  onShot(host: Host, fault: DeviceFault | null): void;
  /** Its crash kernel is listened for. */
  onListen(host: Host): void;
  /** A level or an operator vouches for it. */
  onProof(host: string, by: Proof['by']): void;
}

export function fencingPartsOf(parts: FencingParts): { fencing: Fencing; ownDevices: OwnDevices | null } {
  const { name, link, jobs, fences, plans, ownPlan, onProof } = parts;
  const { redis, process } = link;
  const { clock } = process;
  const orders = ordersIn(link);
  const near = new PretendDevices({ ...parts, process }, parts.onShot, parts.onListen);
  const far = farDevices({
    queue: {
      add: (job, id, data) => link.call(() => jobs.request(job, id, data)),
      outcome: (job, id) => link.call(() => jobs.outcome(job, id)),
      remove: (id) => link.call(() => jobs.withdraw(id)),
    },
    registry: {
      list: () => link.call(() => ({ nowMs: redis.timeline.nowMs, names: [], plans: plans() })),
    },
    ...{ orders, clock: patient(clock) },
  });
  const inner = createFencing({
    ...{ devices: fences ? near : far, confirmations: confirmationsIn(link), timeoutMs: 20_000 },
    ...{ clock, log: silentLog, ceph: parts.ceph },
    shots: {
      last: (host, incident, level, device) =>
        link.call(() => redis.get<Shot>(shotKey(host, incident, level, device)) ?? null),
      record: (host, incident, shot) =>
        link.call(() => redis.set(shotKey(host, incident, shot.level, shot.device), shot)),
    },
    bystanders: {
      of: (host) => link.call(() => redis.get<BystanderWatch>(bystandersKey(host)) ?? null),
      keep: (host, watch) => link.call(() => redis.set(bystandersKey(host), watch)),
      forget: (host) => link.call(() => redis.delete(bystandersKey(host))),
    },
  });
  const fencing: Fencing = {
    ...inner,
    fence: async (request) => {
      const outcome = await inner.fence(request);
      if (outcome.proven) onProof(request.host, outcome.proof.by);
      return outcome;
    },
  };
  const ownDevices: OwnDevices = {
    ...{ name, devices: near, orders, clock },
    get plan() {
      return ownPlan();
    },
  };
  return { fencing, ownDevices: fences ? ownDevices : null };
}

/** A tenth of the questions whether a job is done: each is a call that may fail. */
const patient = (clock: Clock): Clock => ({
  nowMs: () => clock.nowMs(),
  steadyMs: () => clock.steadyMs(),
  sleep: (ms, signal) => clock.sleep(Math.max(ms, 1_000), signal),
});
