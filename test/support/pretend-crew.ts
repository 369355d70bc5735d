// Workers on one pretend cloud, of one Sonny or of several that share no Redis, and what each of them asks of Nova.
import type { PretendCeph } from '../../simulator/ceph/ceph.ts';
import { powerOff } from '../../simulator/world/host-power.ts';
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import type { Fencing } from '../../src/ns4/fencing/fencing.ts';
import type { PowerSeen } from '../../src/ns4/fencing/proof.ts';
import { recoverJobId } from '../../src/shared/documents/assignments.ts';
import type { EventFacts } from '../../src/shared/documents/events/events.ts';
import type { RecoverData, RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import { planOntoSpare } from '../../src/shared/documents/terms/plan.ts';
import { hostTarget } from '../../src/shared/rules/controls.ts';
import { CloudLink } from '../simulation/processes/cloud-link.ts';
import { disksPartsOf } from '../simulation/processes/disks-parts.ts';
import { wordIn } from '../simulation/processes/fencing-parts.ts';
import { lookTogether } from '../simulation/processes/look-together.ts';
import { Ns4 } from '../simulation/processes/ns4.ts';
import { Process } from '../simulation/processes/process.ts';
import { RedisLink } from '../simulation/processes/redis-link.ts';
import { VantagePoint } from '../simulation/processes/vantage-point.ts';
import { Random } from '../simulation/random.ts';
import { Timeline } from '../simulation/timeline.ts';
import { fairWeather, type Weather } from '../simulation/weather.ts';
import { PretendRedis } from '../simulation/world/redis.ts';
import { World } from '../simulation/world/world.ts';

const startMs = Date.UTC(2026, 10, 21, 12, 0, 0);

const rules: Rules = {
  monitorPeriodMs: 60_000,
  heartbeatPeriodMs: 40_000,
  suspiciousBackoff: 5,
  deadBackoff: 1,
  cooldownMs: 86_400_000,
  hypervisorPorts: [22],
  instancePorts: [22],
  fencing: 'none',
  asksDisks: false,
  disabledHosts: 'leave',
};

/** One request to evacuate, as it left. */
export interface Asked {
  readonly by: string;
  readonly instance: string;
  readonly target: string;
  readonly atMs: number;
}

/** hv1 with `instances` is dead and silent, hv2 and hv3 live, s1 and s2 are spares. */
export class PretendCrew {
  readonly timeline = new Timeline(startMs);
  readonly random: Random;
  readonly world: World;
  readonly asked: Asked[] = [];
  readonly said: { readonly by: string; readonly facts: EventFacts }[] = [];
  readonly #weather: Weather;
  /** From where all of them look. */
  readonly #vantagePoint: VantagePoint;

  constructor(seed: number, instances: number, weather: Partial<Weather> = {}) {
    this.random = new Random(seed);
    this.#weather = { ...fairWeather, ...weather };
    this.world = new World(this.timeline, this.random);
    this.#vantagePoint = new VantagePoint('ctl1', this.world, this.random, this.#weather);
    for (const [i, name] of ['hv1', 'hv2', 'hv3', 's1', 's2'].entries())
      this.world.addPlainHost(
        { name, address: `10.0.0.${i + 1}`, zone: 'az1', aggregates: [], vcpus: 16 },
        ['neutron-openvswitch-agent'],
        10_000,
        name.startsWith('s'),
      );
    for (let i = 1; i <= instances; i += 1) this.boot(`vm${i}`, 'hv1');
    this.boot('vm-of-hv2', 'hv2');
  }

  boot(name: string, host: string): void {
    this.world.addInstance({ name, host, mute: false, vmState: 'active', addresses: [] });
  }

  /** From then on it is silent for as long as every rule wants. */
  async kill(host: string): Promise<void> {
    this.#vantagePoint.hearEverybody();
    powerOff(this.world, this.world.host(host));
    await this.timeline.runUntil(this.timeline.nowMs + 120_000);
  }

  /** A worker of a Sonny of this name, with a Redis of its own unless one is given. */
  worker(
    name: string,
    redis = new PretendRedis(this.timeline),
    device: Device | null = null,
    ceph: PretendCeph | null = null,
  ): { ns4: Ns4; redis: PretendRedis } {
    const { timeline, world, random } = this;
    const process = new Process(name, timeline, { offsetMs: 0, pausedMs: 0, isPausable: false });
    const line = { cut: false };
    const link = new RedisLink(redis, process, random, this.#weather, line);
    const ns4 = new Ns4({
      process,
      link,
      cloud: new CloudLink({
        ...{ world, process, random, line, weather: this.#weather },
        onSend: ({ name: what, id, target }) => {
          if (what === 'evacuate') this.asked.push({ by: name, instance: id, target, atMs: timeline.nowMs });
        },
      }),
      lookTogether: (question) =>
        lookTogether(
          [{ vantagePoint: this.#vantagePoint, process, redisLine: line, role: null }],
          1,
          question,
          process,
        ),
      ceph:
        ceph === null
          ? null
          : disksPartsOf(ceph, link, wordIn(link), () => ({ blocks: () => {}, unblocks: () => {} })),
      ...{ world, rules, method: 'api', concurrency: 3 },
      fencing: device === null ? null : fencingBy(process, device),
      ownDevices: null,
      plans: () => [],
      witness: {
        scanned() {},
        open: () => [],
        reading: () => () => {},
        said: (facts) => this.said.push({ by: name, facts }),
        locks() {},
        begins() {},
        read() {},
        looked() {},
      },
    });
    return { ns4, redis };
  }

  /** An order as the monitor of `sonny` gives it now: recoveries of two Sonnys have the same id within a second. */
  order(sonny: string, dead: string, spare: string): RecoverData {
    const nowMs = this.timeline.nowMs;
    return {
      ...{ incident: `i-${dead}`, recovery: `i-${dead}.1`, dead, sonny, plan: planOntoSpare(spare) },
      ...{ attempt: 1, epoch: 1, requestedAtMs: nowMs, startByMs: nowMs + 120_000, judgedAtMs: nowMs },
      ...{ evidence: [], address: this.world.host(dead).address, proofDemanded: false },
      ...{ despite: [], byHand: false, controls: [hostTarget('hv3', '10.0.0.3', rules)] },
    };
  }

  /** Carries the order out, with the assignment that it wants in the worker's own Redis. */
  recover({ ns4, redis }: { ns4: Ns4; redis: PretendRedis }, order: RecoverData): Promise<RecoveryReport> {
    const { recovery, attempt, epoch } = order;
    const known = redis.get<{ jobs: Record<string, string> }>('assignments')?.jobs ?? {};
    const jobs = { ...known, [recovery]: recoverJobId(recovery, attempt) };
    redis.set('assignments', { epoch, revision: 1, jobs });
    const request = { name: 'recover' as const, data: order };
    return ns4.carryOut(recovery, request, new AbortController().signal) as Promise<RecoveryReport>;
  }
}

/** A fence device: how long it takes to show that a host is off, and what it says of it later. */
export interface Device {
  takesMs: number;
  says: PowerSeen['says'];
}

const fencingBy = ({ clock }: Process, device: Device): Fencing => ({
  async fence({ beforeOff, signal }) {
    await beforeOff({ agent: 'fence_ipmilan', number: 1, blocks: null, keep: async () => {} });
    await clock.sleep(device.takesMs, signal);
    const atMs = clock.nowMs();
    return {
      proven: true,
      proof: { ...{ by: 'agent', agent: 'fence_ipmilan', level: 1, atMs }, output: 'off', failed: [] },
    };
  },
  async kept() {},
  bystanders: { of: async () => null, keep: async () => {}, forget: async () => {} },
  lookAgain: async () => ({ says: device.says, said: `Status: ${device.says}` }),
});
