// One history in the making: the world, its processes and their judges, put together and kept running as a service
// manager would.
import { PretendCeph } from '../../simulator/ceph/ceph.ts';
import type { ChangeRequest } from '../../simulator/openstack-in-process/link.ts';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { announce } from '../../src/shared/documents/events/events.ts';
import type { Hosts } from '../../src/shared/documents/inventory.ts';
import type { Order } from '../../src/shared/documents/orders.ts';
import { Picture } from '../../src/shared/picture/picture.ts';
import { bootOf } from './boots.ts';
import { Clocks } from './clocks.ts';
import { Judges, type Ledger } from './judges/judges.ts';
import { type IsOn, isOnWith } from './not-yet.ts';
import { planOf, plansChanged, plansOf, plansOfEach } from './plans-of-fencing.ts';
import { CloudLink } from './processes/cloud-link.ts';
import { disksPartsOf } from './processes/disks-parts.ts';
import { fencingPartsOf, wordIn } from './processes/fencing-parts.ts';
import { Jobs } from './processes/jobs.ts';
import { heldLease } from './processes/lease.ts';
import { lookTogether } from './processes/look-together.ts';
import { Monitor } from './processes/monitor.ts';
import { Ns4 } from './processes/ns4.ts';
import { askEverybody } from './processes/opened.ts';
import { Process } from './processes/process.ts';
import { RedisLink } from './processes/redis-link.ts';
import { hostsKey, placesIn } from './processes/storage.ts';
import { VantagePoint } from './processes/vantage-point.ts';
import type { Random } from './random.ts';
import { redisRollsBack } from './redis-troubles.ts';
import type { Seat, Setting } from './setting.ts';
import { Timeline } from './timeline.ts';
import { PretendRedis } from './world/redis.ts';
import { World } from './world/world.ts';

export class History {
  readonly timeline: Timeline;
  readonly world: World;
  readonly redis: PretendRedis;
  readonly jobs: Jobs;
  readonly judges: Judges;
  readonly workers: readonly Seat<Ns4>[];
  readonly monitors: readonly Seat<Monitor<Ledger>>[];
  readonly setting: Setting;
  readonly random: Random;
  /** Null: the disks are elsewhere. */
  readonly ceph: PretendCeph | null;
  /** Does the background round learn by whom disks are open? */
  learnsDisks = true;
  /** Do its hosts start by themselves, when they boot, what ran on them before? */
  startsGuests = false;
  /** Which faults and demands it has. */
  readonly isOn: IsOn;
  /** Redis lost everything at some time, so the monitor may hold as soon as it notices. */
  hasForgotten = false;
  /** A second Sonny with a Redis of its own at the same cloud. */
  rival: History | null = null;
  /** Nothing new goes wrong any more. */
  isCalm = false;
  /** What ends the faults under way. */
  readonly healings: (() => void)[] = [];
  readonly clocks = new Clocks(this);
  /** How long a process that ended stays away. */
  downMs: () => number;
  /** Hears every event, by whomever it is said. */
  hear: (event: SonnyEvent) => void = () => {};

  /** `beside`: another household of the same cloud, that neither knows of. */
  constructor(setting: Setting, random: Random, isOn: IsOn = isOnWith([]), beside: History | null = null) {
    this.isOn = isOn;
    const { rules, weather, startMs } = setting;
    this.setting = setting;
    this.random = random;
    this.timeline = beside?.timeline ?? new Timeline(startMs);
    this.world = beside?.world ?? new World(this.timeline, random);
    this.redis = new PretendRedis(this.timeline);
    this.ceph = beside === null ? (rules.asksDisks ? new PretendCeph(this.world) : null) : beside.ceph;
    this.judges = new Judges(this.world, this.redis, rules, setting.quorum, isOn, this.ceph);
    if (beside === null) {
      this.world.listener = this.judges.deeds;
      this.world.onPresence = () => {
        this.judges.signs.follow();
        this.ceph?.watches.follow();
        this.judges.disks?.follow();
      };
      this.world.isKeptOut = (instance, host) => this.ceph?.isKeptOut(instance, host) === true;
      this.world.mishap = () =>
        random.chance(weather.rebuildFails)
          ? 'fails'
          : random.chance(weather.rebuildSticks)
            ? 'sticks'
            : null;
      this.world.boots = () => bootOf(random, isOn('quickBoots'), this.startsGuests);
    } else beside.judges.deeds.rival = this.judges.deeds;
    this.jobs = new Jobs(this.redis, random, weather);
    this.downMs = () => random.pick([300, 2_000, 2_000, 15_000, 60_000]);
    const whose = beside === null ? '' : 'other-';
    const seats = <T>(count: number, what: string): Seat<T>[] =>
      Array.from({ length: count }, (_, i) => this.#seat<T>(`${whose}${what}-${i + 1}`));
    this.workers = seats(setting.workers, 'ns4');
    this.monitors = seats(setting.monitors, 'monitor');
    const { judges } = this;
    judges.verdicts.clockSpreadMs = () => this.clocks.spreadMs;
    judges.verdicts.everHeard = (address) =>
      this.workers.some(
        ({ vantagePoint }) => vantagePoint.hasHeard(address) && !vantagePoint.isLongMute(address),
      );
    this.redis.onSet = (key, value) => {
      if (key === hostsKey) this.#showHosts(Picture.of(value as Hosts, null));
    };
    judges.deeds.clockSpreadMs = () => this.clocks.spreadMs;
    for (const { vantagePoint } of this.workers)
      vantagePoint.onBlink = () => {
        if (judges.deeds.eyesOpenSinceMs !== null) judges.deeds.eyesOpenSinceMs = this.timeline.nowMs;
      };
    judges.onSave = () => {
      if (random.chance(setting.weather.rollsBackAfterSave))
        this.timeline.after(random.between(1, 950), () => redisRollsBack(this));
    };
    judges.hear = (event) => this.hear(event);
    this.jobs.onFinished = (id) => {
      for (const seat of this.monitors) seat.role?.hint(id);
    };
    this.jobs.onChange = () => this.poke();
  }

  /** Tells what truly happens. */
  tell(text: string): void {
    this.world.tell(text);
  }

  /** An operator's order, left in Redis. */
  order(order: Order): void {
    const { redis, timeline, judges, world } = this;
    redis.set('orders', [...(redis.get<string[]>('orders') ?? []), JSON.stringify(order)]);
    if (order.kind === 'reset-cooldown') judges.deeds.cooldownBlurredMs = timeline.nowMs;
    world.tell(`an operator orders: ${order.kind}`);
    this.poke();
  }

  /** Some vantage point does not see what it saw, or sees it again. */
  eyesChanged(): void {
    const open = this.workers.every((seat) => seat.vantagePoint.sighted);
    this.judges.deeds.eyesOpenSinceMs = open ? this.timeline.nowMs : null;
  }

  /** Something happened that only a look would show. */
  poke(): void {
    for (const seat of this.monitors) seat.role?.poke();
  }

  /** Starts every process. */
  start(): void {
    // Watched since long: who answers at the beginning was heard before.
    for (const { vantagePoint } of this.workers) vantagePoint.hearEverybody();
    this.askDisks();
    for (const seat of this.workers) this.startWorker(seat);
    for (const seat of this.monitors) this.startMonitor(seat);
    this.#watchWaits();
  }

  startWorker(seat: Seat<Ns4>): void {
    const { world, redis, random, setting, judges } = this;
    const { weather, method, concurrency } = setting;
    const rules = { ...setting.rules, ...seat.differs };
    const quorumOf = (isOwn: boolean) => (isOwn ? seat.differs.quorum : undefined) ?? setting.quorum;
    const process = this.#process(seat);
    const link = new RedisLink(redis, process, random, weather, seat.redisLine);
    const onSend = ({ name, id, target }: ChangeRequest) => {
      if (name === 'force-down') judges.forcesDown(process, world.host(id));
      const instance = name === 'evacuate' ? world.find(id) : undefined;
      if (instance !== undefined) judges.asked(process, instance, target);
    };
    const cloud = new CloudLink({ world, process, random, weather, line: seat.cloudLine, onSend });
    const ceph = this.ceph === null ? null : this.#disksParts(this.ceph, link);
    const role = new Ns4({
      ...{ process, link, cloud, world, rules, method, concurrency, ceph },
      lookTogether: (question, isOwn) => lookTogether(this.workers, quorumOf(isOwn), question, process),
      ...(rules.fencing === 'none'
        ? { fencing: null, ownDevices: null }
        : fencingPartsOf({
            ...{ name: seat.name, link, world, random, jobs: this.jobs },
            ...{ aims: seat.aims, fences: seat.fences, ceph: ceph?.fence ?? null },
            levels: ceph === null ? 'devices' : setting.levels,
            ownPlan: () => planOf(seat),
            plans: () => plansOfEach(this),
            onShot: (host, fault) => judges.deeds.shot(host, fault, process.isUnaware),
            onListen: (host) => judges.deeds.onAct('listen', host),
            onProof: (host, by) => judges.proved(host, by),
          })),
      plans: () => plansOf(this),
      witness: {
        scanned: (id, seen, { asked, open }) => {
          judges.verdicts.scanned(id, seen);
          judges.disks?.scanned(id, asked, open);
        },
        open: () => judges.disks?.open() ?? [],
        reading: (id) => judges.verdicts.reading(id),
        said: (facts) => {
          judges.heard(facts);
          this.hear(announce('pretend', process.clock.nowMs(), facts));
        },
        locks: (token) => judges.hands.takes(process, token),
        begins: (order) => judges.hands.begins(process, order),
        read: (order, servers) => judges.hands.read(process, order, servers),
        looked: (order, scan) => judges.hands.scanned(process, order, scan),
      },
    });
    seat.role = role;
    plansChanged(this);
    this.jobs.takers.push(role);
    process.onKill = () => {
      this.#took(role);
      this.#ended(seat, () => this.startWorker(seat));
    };
    process.onFreeze = (forMs) => {
      this.world.tell(`${seat.name} stands still for ${forMs / 1000} s`);
      this.clocks.lag(seat, forMs);
      this.jobs.frozen(process, forMs);
      plansChanged(this);
      process.later(forMs, () => {
        plansChanged(this);
        this.jobs.lookAgain();
      });
    };
    this.jobs.lookAgain();
    this.#listen(seat, process);
  }

  #disksParts(ceph: PretendCeph, link: RedisLink) {
    return disksPartsOf(ceph, link, wordIn(link), (by) => ({
      blocks: (addresses) => this.judges.blocks(link.process, addresses, by === 'level'),
      unblocks: (addresses) => this.judges.unblocks(addresses),
    }));
  }

  /** The background scan of a worker: everybody soon after its start, then once in five minutes. */
  #listen({ vantagePoint, redisLine, differs }: Seat<Ns4>, process: Process): void {
    vantagePoint.begin({ ...this.setting.rules, ...differs });
    const pass = (): void => {
      if (!redisLine.cut && !this.redis.away) {
        vantagePoint.hearEverybody(process.clock, placesIn(this.redis));
        this.askDisks();
      }
      process.later(300_000, pass);
    };
    process.later(2_000, pass);
  }

  /** Each background scan sees every picture. */
  #showHosts(picture: Picture): void {
    for (const { vantagePoint, process, redisLine } of this.workers)
      if (process?.running && !redisLine.cut) vantagePoint.showHosts(picture);
  }

  /** The background round over disks. */
  askDisks(): void {
    if (this.ceph !== null && this.learnsDisks) askEverybody(this.ceph, this.redis, this.timeline.nowMs);
  }

  startMonitor(seat: Seat<Monitor<Ledger>>): void {
    const { redis, random, setting, jobs, judges } = this;
    const process = this.#process(seat);
    const link = new RedisLink(redis, process, random, setting.weather, seat.redisLine);
    const role = new Monitor({ process, link, jobs, rules: setting.rules, judge: judges });
    seat.role = role;
    process.onKill = () => {
      judges.pauses(process);
      this.#ended(seat, () => this.startMonitor(seat));
      this.poke();
    };
    process.onFreeze = (forMs) => {
      this.world.tell(`${seat.name} stands still for ${forMs / 1000} s`);
      this.clocks.lag(seat, forMs);
      heldLease(redis);
      judges.pauses(process);
      this.poke();
      process.later(forMs, () => {
        if (role.leads) judges.goesOn(process);
        this.poke();
      });
    };
    role.onEnd = () => process.kill();
    role.start(new AbortController().signal);
  }

  #seat<T>(name: string): Seat<T> {
    return {
      ...{ name, machine: { offsetMs: 0, pausedMs: 0, isPausable: false }, differs: {} },
      ...{ redisLine: { cut: false }, cloudLine: { cut: false } },
      vantagePoint: new VantagePoint(name, this.world, this.random, this.setting.weather),
      ...{ aims: new Map(), fences: true },
      ...{ process: null, role: null, lives: 0 },
    };
  }

  #process(seat: Seat<unknown>): Process {
    seat.lives += 1;
    seat.process = new Process(`${seat.name}#${seat.lives}`, this.timeline, seat.machine);
    return seat.process;
  }

  #took(role: Ns4): void {
    const { takers } = this.jobs;
    takers.splice(takers.indexOf(role), 1);
    this.jobs.died(role.process);
  }

  #ended(seat: Seat<unknown>, again: () => void): void {
    const downMs = this.downMs();
    this.world.tell(`${seat.name} is gone, and comes back in ${downMs / 1000} s`);
    seat.process = null;
    seat.role = null;
    plansChanged(this);
    this.timeline.after(downMs, again);
  }

  /** By the way of the world, not of the monitor: it may be the one that hangs. */
  #watchWaits(): void {
    this.timeline.after(20_000, () => {
      this.judges.waits();
      this.#watchWaits();
    });
  }
}
