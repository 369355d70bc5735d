// All judges of a history together, as the world and the processes report to them.

import type { PretendCeph } from '../../../simulator/ceph/ceph.ts';
import { isCellDown } from '../../../simulator/world/cells.ts';
import type { Host, Instance } from '../../../simulator/world/model.ts';
import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import { assignmentsOf, type State } from '../../../src/monitor/core/state/state.ts';
import type { Proof } from '../../../src/ns4/fencing/proof.ts';
import type { EventFacts, SonnyEvent } from '../../../src/shared/documents/events/events.ts';
import { endedWell } from '../../../src/shared/documents/events/report-text.ts';
import { contracts } from '../../../src/shared/documents/jobs/contracts.ts';
import type { IsOn } from '../not-yet.ts';
import { addressesIn } from '../processes/opened.ts';
import { ownScanOf } from '../processes/own-scan.ts';
import type { Process } from '../processes/process.ts';
import type { Judge } from '../processes/storage.ts';
import type { PretendRedis } from '../world/redis.ts';
import type { World } from '../world/world.ts';
import { Deeds } from './deeds.ts';
import { Disks } from './disks.ts';
import { Hands } from './hands.ts';
import { isRecovered } from './recovered.ts';
import { Signs } from './signs.ts';
import { phaseOf, underwayIn } from './standing.ts';
import { Twice, toldOfTwice } from './twice.ts';
import { type Passed, Verdicts } from './verdicts.ts';
import { must } from './violation.ts';
import { judgeWords, type Said } from './words.ts';

/** What must be remembered of the monitor's doings as long as its state. */
export interface Ledger {
  readonly trail: readonly Passed[];
  readonly said: Said;
}

/** What Redis lost is missed within a pause between two looks, and written again despite a few failures. */
const writtenAgainMs = 10_000;
/** From the facts that a fencing begins with to the word of its first level. */
const forgottenMs = 60_000;

export class Judges implements Judge<Ledger> {
  readonly verdicts: Verdicts;
  readonly deeds: Deeds;
  readonly hands: Hands;
  readonly signs: Signs;
  /** Null: they are not on Ceph. */
  readonly disks: Disks | null;
  readonly counts = { saves: 0, recoveries: 0, attempts: 0 };
  readonly events: Record<string, number> = {};
  readonly refusals: Record<string, number> = {};
  /** Hosts whose recovery ended with a request to look. */
  readonly leftAloud: Set<string> = new Set();
  /** Hosts whose recovery was said to fail again and again as Ceph does not answer. */
  readonly waitingForCeph: Set<string> = new Set();
  /** Hears every event as it is saved. */
  hear: (event: SonnyEvent) => void = () => {};
  /** Since when a monitor runs without interruption by anything; null: it does not. */
  #watchingSinceMs: number | null = null;
  #leader: Process | null = null;
  /** After a jump of a clock or an outage of Redis a wait may take its whole limit again. */
  disturbedMs = Number.NEGATIVE_INFINITY;
  /** The state as it was saved last. */
  state: State | null = null;
  /** The last one that its leader knows to be saved. */
  #acknowledged: State | null = null;
  readonly #rules: Rules;
  readonly #twice: Twice;
  readonly #isOn: IsOn;
  readonly #world: World;
  readonly #redis: PretendRedis;
  /** The leading monitor's clock minus true time. */
  #offsetMs = 0;
  #phase: { id: string; sinceMs: number } = { id: '', sinceMs: 0 };
  readonly #recoveries = new Map<string, number>();

  constructor(
    world: World,
    redis: PretendRedis,
    rules: Rules,
    quorum: number,
    isOn: IsOn,
    ceph: PretendCeph | null = null,
  ) {
    this.disks = ceph === null ? null : new Disks(world, ceph);
    this.#world = world;
    this.#redis = redis;
    this.#rules = rules;
    this.verdicts = new Verdicts(world, rules, quorum, isOn);
    this.deeds = new Deeds(world, rules, isOn);
    this.deeds.disks = this.disks;
    this.verdicts.disks = this.disks;
    this.hands = new Hands(world, redis);
    this.signs = new Signs(world);
    this.signs.eyesOpenSinceMs = () => this.deeds.eyesOpenSinceMs;
    this.signs.isMisaimed = (host) => this.deeds.isMisaimed(host);
    this.#twice = new Twice(world);
    this.#isOn = isOn;
  }

  emptyLedger(): Ledger {
    return { trail: [], said: {} };
  }

  judge(ledger: Ledger, before: State | null, after: State, events: readonly SonnyEvent[]): Ledger {
    this.counts.saves += 1;
    const trail = this.verdicts.trail(ledger.trail, before, after);
    const phase = phaseOf(after);
    if (phase.kind === 'scanning-hosts')
      must(
        phase.suspects.length <= this.#rules.suspiciousBackoff,
        'no more suspects are inspected than allowed',
        phase.suspects.join(', '),
      );
    if (before !== null) this.#begun(before, after, trail);
    const facts = events.map((event) => event.facts);
    const said = judgeWords(ledger.said, before, after, facts);
    return { trail, said };
  }

  /** The request to force a host down leaves its worker. */
  forcesDown(process: Process, host: Host): void {
    this.#judge(() => this.signs.forcesDown(host));
    this.deeds.forcesDown(host);
    this.#judge(() => this.disks?.forcesDown(host));
    this.#judge(() => this.hands.changes(process, host, true));
  }

  /** A request for an evacuation leaves its worker. */
  asked(process: Process, guest: Instance, target: string): void {
    const source = this.#world.host(guest.movedFrom ?? guest.host ?? '');
    this.deeds.asked(guest, target, this.hands.isByHandAlone(source));
    if (source.name !== target) this.#judge(() => this.signs.asked(guest, source));
    if (source.name !== target) this.#judge(() => this.disks?.asked(guest, source));
    if (source.name !== target) this.#judge(() => this.hands.moves(process, source, target));
  }

  /** These addresses are about to be kept from every disk; `isLevel`: as the proof of a fence level. */
  blocks(process: Process, addresses: readonly string[], isLevel: boolean): void {
    const incidentOf = (host: string) => this.hands.incidentOf(process, host);
    const blocking = { scan: ownScanOf(process), isLevel, incidentOf };
    this.#judge(() => {
      for (const host of this.disks?.blocks(addresses, addressesIn(this.#redis), blocking) ?? [])
        this.deeds.cutsOff(host, isLevel);
    });
  }

  /** The entries of these addresses are about to be lifted by Sonny. */
  unblocks(addresses: readonly string[]): void {
    this.#judge(() => {
      this.disks?.unblocks(addresses);
      this.disks?.isFreeOfCopies(addresses);
    });
  }

  /** A fence level, a device or an operator vouches for a host. */
  proved(host: string, by: Proof['by']): void {
    if (by === 'ceph') this.#judge(() => this.disks?.provedCutOff(host));
    else this.disks?.proved(host);
    if (by === 'crash-kernel') {
      this.deeds.reportedCrash(this.#world.host(host));
      this.#judge(() => this.#wasHeard(host));
    }
    if (by === 'agent') this.#judge(() => this.deeds.provedOff(this.#world.host(host)));
    this.deeds.onAct('proven', this.#world.host(host));
  }

  /** Its silence contradicts nothing otherwise; what Redis forgot just now may have been known when it was asked. */
  #wasHeard(host: string): void {
    const { address } = this.#world.host(host);
    const isForgotten = this.#world.timeline.nowMs - this.hands.forgottenMs < forgottenMs;
    const demand = 'a message of a crash kernel counts for a host that was heard before';
    must(isForgotten || (address !== null && this.verdicts.everHeard(address)), demand, host);
  }

  /** In the middle of somebody's call: it must not be caught there. */
  #judge(ask: () => void): void {
    try {
      ask();
    } catch (violation) {
      this.#world.timeline.fail(violation);
    }
  }

  /** Told of every save. */
  onSave: () => void = () => {};

  saved(state: State, events: readonly SonnyEvent[], process: Process): void {
    must(state.epoch >= (this.state?.epoch ?? 0), 'a former leader saves nothing', process.name);
    this.state = state;
    this.onSave();
    this.hands.assigned(assignmentsOf(state));
    this.#offsetMs = process.machine.offsetMs;
    if (events.some((event) => event.facts.kind === 'monitor-started')) this.goesOn(process);
    const phase = phaseOf(state);
    const id = phase.kind === 'watching' ? `watching ${phase.nextCheckMs}` : phase.job.id;
    if (id !== this.#phase.id) this.#phase = { id, sinceMs: this.#world.timeline.nowMs };
    for (const event of events) {
      this.#twice.heard(event);
      this.#isNotCalledWell(event.facts);
      this.heard(event.facts);
      this.hear(event);
    }
  }

  /** One of whom nothing is known, as the cell that it is in does not answer. */
  #isNotCalledWell(facts: EventFacts): void {
    if (facts.kind !== 'cleared' || facts.scope.kind !== 'host') return;
    const host = this.#world.host(facts.scope.name);
    const isUnknown = this.verdicts.hidden.has(host.name) && isCellDown(this.#world, host);
    must(
      !isUnknown || host.powered,
      'no dead host of a cell that is away is called well',
      `${host.name}: ${facts.of}`,
    );
  }

  /** Redis lost what was written since then. */
  redisLost(fromMs: number): void {
    const { nowMs } = this.#world.timeline;
    this.disturbedMs = nowMs;
    this.hands.forgottenMs = nowMs;
    this.deeds.redisLost(fromMs);
    this.disks?.redisLost();
  }

  acknowledged(state: State): void {
    this.#acknowledged = state;
  }

  /** This monitor leads, or goes on leading after it stood still. */
  goesOn(process: Process): void {
    this.#leader = process;
    this.#watchingSinceMs = this.#world.timeline.nowMs;
  }

  /** It ended, or stands still; no matter unless it was the one that led last. */
  pauses(process: Process): void {
    if (this.#leader === process) this.#watchingSinceMs = null;
  }

  /** Counts what is said, by whomever. */
  heard(facts: EventFacts): void {
    this.signs.heard(facts);
    this.events[facts.kind] = (this.events[facts.kind] ?? 0) + 1;
    if (facts.kind === 'refused')
      this.refusals[facts.refusal.name] = (this.refusals[facts.refusal.name] ?? 0) + 1;
    if (facts.kind === 'recovery-continued') {
      this.counts.attempts += 1;
      if (facts.why.includes('Ceph')) this.waitingForCeph.add(facts.host);
    }
    if (facts.kind === 'recovery-ended' && !endedWell(facts.report)) this.leftAloud.add(facts.report.dead);
    if (facts.kind === 'recovery-lost') this.leftAloud.add(facts.host);
    if (facts.kind === 'recovery-ended')
      this.#judge(() => {
        this.deeds.ended(facts.report);
        isRecovered(this.#world, facts.report);
      });
  }

  #begun(before: State, after: State, trail: readonly Passed[]): void {
    const recoveries = underwayIn(after);
    if (recoveries.length === 0) return;
    const once = (all: readonly string[], what: string) =>
      must(new Set(all).size === all.length, `no ${what} twice at once`, all.join(', '));
    once(
      recoveries.map((r) => r.dead),
      'host in recovery',
    );
    once(
      recoveries.map((r) => r.spare),
      'spare in recovery',
    );
    const old = underwayIn(before);
    const fresh = recoveries.filter((r) => !old.some(({ id }) => id === r.id));
    if (fresh.length === 0) return;
    const names = fresh.map((r) => r.dead);
    const { deadBackoff } = this.#rules;
    must(deadBackoff > 0, 'dry mode never acts', names.join(', '));
    must(recoveries.length <= deadBackoff, 'at most dead_backoff hosts in recovery', names.join(', '));
    for (const recovery of fresh) {
      must(recovery.dead !== recovery.spare, 'the spare is another host', recovery.dead);
      if (!recovery.byHand) this.verdicts.prove(recovery, before, trail);
      this.deeds.begins(recovery.id, recovery.dead);
    }
    // Who orders the recovery of one host knows what he does about the others.
    const judged = fresh.filter((r) => !r.byHand).map((r) => r.dead);
    const others =
      judged.length === 0 ? [] : this.verdicts.othersDying(before, judged, trail, this.#offsetMs);
    must(
      others.length + recoveries.length <= deadBackoff,
      'hosts that die together count together',
      [...names, ...others].join(', '),
    );
    this.counts.recoveries += fresh.length;
  }

  /** Every wait ends within its limit, as long as the monitor runs. Asked from time to time. */
  waits(): void {
    this.signs.sample();
    this.verdicts.darkSpares.sample();
    this.disks?.follow();
    const { state } = this;
    const watchingSinceMs = this.#watchingSinceMs;
    if (state === null || watchingSinceMs === null) return;
    const { nowMs } = this.#world.timeline;
    const phase = phaseOf(state);
    const limitMs =
      phase.kind === 'watching' ? this.#rules.monitorPeriodMs : contracts[phase.job.name].waitMs;
    const waitedMs = nowMs - Math.max(this.#phase.sinceMs, watchingSinceMs, this.disturbedMs);
    must(
      waitedMs <= limitMs + 5_000,
      'every wait ends',
      `${phase.kind} for ${Math.round(waitedMs / 1000)} s`,
    );
    this.#isKept(nowMs - Math.max(watchingSinceMs, this.disturbedMs));
    if (this.#isOn(toldOfTwice))
      this.#twice.judge(nowMs - Math.max(watchingSinceMs, this.disturbedMs), this.deeds.forcedDown);
    for (const { id } of underwayIn(state)) {
      const sinceMs = Math.max(this.#recoveries.get(id) ?? nowMs, watchingSinceMs, this.disturbedMs);
      if (!this.#recoveries.has(id)) this.#recoveries.set(id, nowMs);
      must(nowMs - sinceMs <= contracts.recover.waitMs + 5_000, 'every recovery ends', id);
    }
  }

  /** Whoever takes over goes on from what Redis holds: what it lost is written again. */
  #isKept(undisturbedMs: number): void {
    const known = this.#acknowledged;
    if (known === null || this.#redis.away || undisturbedMs < writtenAgainMs) return;
    const kept = this.#redis.get<{ readonly state: State }>('state')?.state;
    const { epoch, revision } = kept ?? { epoch: 0, revision: 0 };
    must(
      epoch > known.epoch || (epoch === known.epoch && revision >= known.revision),
      'what Redis lost of the state is saved again',
      `${kept?.revision ?? 'nothing'} instead of ${known.revision}`,
    );
  }
}
