// Judges what is done to the cloud, by the truth of the moment: never two writers that could have been known of, no
// instance twice at once, no spare twice, no more hosts per cooldown than allowed, nothing done to a host that is
// heard.

import type { DeviceFault, Host, Instance } from '../../../simulator/world/model.ts';
import { writersOf } from '../../../simulator/world/physics.ts';
import { askedWithinMs, lastReport } from '../../../simulator/world/reports.ts';
import type { Listener } from '../../../simulator/world/world.ts';
import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import type { RecoveryReport } from '../../../src/shared/documents/jobs/recover.ts';
import type { IsOn } from '../not-yet.ts';
import type { World } from '../world/world.ts';
import type { Disks } from './disks.ts';
import { signsOfLife, wouldBeMissed } from './life.ts';
import { must, Violation } from './violation.ts';

/** What is done to the cloud; listen: for a crash kernel; proven: somebody vouches for a host that is to be recovered. */
export type Act = 'listen' | 'shot' | 'cut-off' | 'proven' | 'force-down' | 'evacuate';

interface Begun {
  readonly incident: string;
  readonly host: string;
  readonly atMs: number;
  acted: boolean;
}

/** A host that can be heard for this long by everybody is heard before anything more is done to it. */
const noticedWithinMs = 60_000;
/** The last sign of silence that a request may leave on, and a request's own way. */
const confirmedWithinMs = 25_000;
/** The look at a server is the last thing before a request for it, and may have been slow. */
const lookedWithinMs = 6_000;
/** What Nova may have begun elsewhere, or will do when the host returns. */
const elsewhere = new Set(['migrating', 'resize_migrating', 'resize_migrated', 'deleting', 'powering-on']);
/** Powering off follows a look that is younger. */
const shotWithinMs = 18_000;
/** From a look at a compute service to the deed that rests on it. */
const serviceLookMs = 1_500;

export class Deeds implements Listener {
  readonly counts = { taken: 0, shots: 0, unaware: 0, secondWriters: 0, excused: 0 };
  /** Can everybody see everything, and since when? What is not seen cannot be heeded. */
  eyesOpenSinceMs: number | null;
  /** Nothing can be said about cooldowns begun before: an operator reset it, or the monitor's clock jumped. */
  cooldownBlurredMs = Number.NEGATIVE_INFINITY;
  /** Told of each act as it leaves, and of the host it is about. */
  onAct: (what: Act, host: Host) => void = () => {};
  /** Since when living workers have different plans of fencing; null: they have not. */
  plansDifferSinceMs: number | null = null;
  /** How far the clocks of the machines are apart, at most. */
  clockSpreadMs: () => number = () => 0;
  readonly #world: World;
  readonly #rules: Rules;
  readonly #isOn: IsOn;
  readonly #begun: Begun[] = [];
  /** Hosts that somebody asked Nova to force down. */
  readonly forcedDown: Set<string> = new Set();
  /** Guests a copy of which existed when they were asked for last, so that it could have been known. */
  readonly #existedWhenAsked = new Set<Instance>();
  /** Hosts that somebody recovers beside the monitor. */
  readonly decidedByHand: Set<string> = new Set();
  /** Hosts whose device said off and left them on. */
  readonly #deceived = new Set<string>();
  /** Hosts whose shot hit another one that answered nobody anyway. */
  readonly #misaimed = new Set<string>();
  /** Null: they are not on Ceph. */
  disks: Disks | null = null;
  /** Those of a second Sonny at the same cloud. */
  rival: Deeds | null = null;
  #isOperator = false;
  readonly #operatedMs = new Map<Instance, number>();
  readonly #askedMs = new Map<Instance, number>();
  /** Where it was asked for last. */
  readonly #askedTarget = new Map<Instance, string>();
  readonly #shotMs = new Map<string, number>();
  /** When a message of its crash kernel became the proof. */
  readonly #crashedMs = new Map<string, number>();
  /** When it was shot last, by a device that is its own and does what it says. */
  readonly #fairShotMs = new Map<string, number>();
  /** What was written to Redis in between was lost. */
  readonly #lost: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #spareOf = new Map<string, string>();

  constructor(world: World, rules: Rules, isOn: IsOn) {
    this.#isOn = isOn;
    this.#world = world;
    this.#rules = rules;
    this.eyesOpenSinceMs = world.timeline.nowMs;
  }

  begins(incident: string, host: string): void {
    this.#begun.push({ incident, host, atMs: this.#world.timeline.nowMs, acted: false });
  }

  /** Somebody set the spare aside anew. */
  spareRenewed(name: string): void {
    this.#spareOf.delete(name);
  }

  /** The request to force a host down leaves its worker. */
  forcesDown(host: Host): void {
    this.forcedDown.add(host.name);
    this.onAct('force-down', host);
    this.#judge(() => {
      this.#isSilent(host, 'no host that is heard is forced down', host.name);
      this.#isSilentAfterCrash(host);
      this.#isNobodysWork(host);
    });
  }

  /**
   * A host is about to be powered off by its fencing device, or by the one that a plan takes for it. `isUnaware`: by one
   * whose machine was paused, with both clocks, while the answer to its last question was on its way.
   */
  shot(host: Host, fault: DeviceFault | null, isUnaware = false): void {
    this.counts.shots += 1;
    this.onAct('shot', host);
    if (fault?.kind === 'nothing') this.#deceived.add(host.name);
    if (fault?.kind === 'other' && !wouldBeMissed(this.#world.host(fault.host)))
      this.#misaimed.add(host.name);
    // What a device switches that is wrong, or lies, is judged by itself.
    if (fault === null || fault.kind === 'restores')
      this.#fairShotMs.set(host.name, this.#world.timeline.nowMs);
    else this.#fairShotMs.delete(host.name);
    if (isUnaware) {
      this.counts.unaware += 1;
      return;
    }
    this.#judge(() => {
      this.#isSilent(host, 'no host that is heard is powered off', host.name, shotWithinMs);
      this.#isNobodysWork(host);
      this.#isNotShotAgain(host);
      this.#isByOnePlan(host);
    });
  }

  /** A device, or several together, say that it is off: none of its outlets gives power since before they were told. */
  provedOff({ name, secondOutlet, feeds, powered }: Host): void {
    const shotMs = this.#fairShotMs.get(name) ?? 0;
    const isFed =
      secondOutlet !== 'none' && powered && feeds.some(({ on, sinceMs }) => on && sinceMs < shotMs);
    // By its own controller it is off whatever its outlets give.
    must(!isFed, 'no host is proven off while one of its feeds is on', name);
  }

  /** A message of its crash kernel is taken for the proof: anybody may have sent it. */
  reportedCrash({ name }: Host): void {
    this.#crashedMs.set(name, this.#world.timeline.nowMs);
  }

  /** Whoever asks for its silence after the message hears one that answers since before it. */
  #isSilentAfterCrash({ name, answersSinceMs, address }: Host): void {
    const crashedMs = this.#crashedMs.get(name) ?? Number.NEGATIVE_INFINITY;
    const seenMs = this.eyesOpenSinceMs ?? Number.POSITIVE_INFINITY;
    const isAsked = address !== null && answersSinceMs !== null && seenMs <= crashedMs;
    const demand = 'a message of a crash kernel counts with silence that was asked after it';
    must(!isAsked || answersSinceMs > crashedMs, demand, name);
  }

  /** A host is about to be cut off from its disks; `isLevel`: as the proof of a fence level. */
  cutsOff(host: Host, isLevel: boolean): void {
    this.onAct('cut-off', host);
    this.#isSilent(host, 'no host that is heard is cut off', host.name, shotWithinMs);
    if (!isLevel) return;
    this.#isNobodysWork(host);
    this.#isByOnePlan(host);
  }

  /** Two living ns4 that would power off different machines for one host: neither does. */
  #isByOnePlan({ name }: Host): void {
    const differMs = this.#world.timeline.nowMs - (this.plansDifferSinceMs ?? this.#world.timeline.nowMs);
    const detail = `${name}, for ${Math.round(differMs / 1_000)} s`;
    must(differMs <= shotWithinMs, 'nobody is powered off while plans of fencing differ', detail);
  }

  /** Whoever disabled it with a reason of his own works at it, as the last look before the deed shows. */
  #isNobodysWork({ name, disabled, disabledReason, setAsideAtMs }: Host): void {
    const demand = 'no host at which an operator works is touched';
    const isSeen = this.#world.timeline.nowMs - setAsideAtMs > serviceLookMs;
    const isWorkedAt = isSeen && disabled && disabledReason?.startsWith('maintenance') === true;
    if (this.#isOn(demand)) must(!isWorkedAt, demand, name);
  }

  /** After a shot somebody switched it on, and it boots in silence. */
  #isNotShotAgain(host: Host): void {
    const demand = 'no host is shot again while it boots';
    const shotMs = this.#shotMs.get(host.name) ?? Number.POSITIVE_INFINITY;
    this.#shotMs.set(host.name, this.#world.timeline.nowMs);
    // Another device, which nobody told yet, knows nothing of the first shot.
    if (!this.#isOn(demand) || !host.powered || host.up.kernel || host.outlet !== 'none') return;
    // What was kept of that shot, Redis lost.
    const isForgotten = this.#lost.some(({ fromMs, toMs }) => fromMs <= shotMs && shotMs <= toMs);
    must(host.poweredSinceMs < shotMs || isForgotten, demand, host.name);
  }

  /** Redis lost what was written since then. */
  redisLost(fromMs: number): void {
    this.#lost.push({ fromMs, toMs: this.#world.timeline.nowMs });
  }

  /** A request for an evacuation leaves its worker; `isAlone`: in a recovery by hand that the monitor knows nothing of. */
  asked(guest: Instance, target: string, isAlone: boolean): void {
    this.onAct('evacuate', this.#world.host(guest.movedFrom ?? guest.host ?? ''));
    this.#judge(() => this.#asked(guest, target, isAlone));
  }

  #asked(guest: Instance, target: string, isAlone: boolean): void {
    const source = this.#world.host(guest.movedFrom ?? guest.host ?? '');
    if (source.name === target) return;
    this.#askedMs.set(guest, this.#world.timeline.nowMs);
    this.#askedTarget.set(guest, target);
    const others = writersOf(this.#world, guest).filter((name) => name !== target);
    // Without fencing a source may live on unseen. Where else something of it runs stands in Nova's records.
    const isKnowable = (name: string) =>
      this.#isOnRecord(guest, source.name, name) ||
      (this.#rules.fencing === 'required' && this.#couldBeKnown(guest, name));
    if (others.some(isKnowable)) this.#existedWhenAsked.add(guest);
    else this.#existedWhenAsked.delete(guest);
    this.#hasNoPower(source, `${guest.name} of ${source.name}`);
    this.#isNotUnderWay(guest);
    this.#isSilent(
      source,
      'no instance is moved from a host that is heard',
      `${guest.name} of ${source.name}`,
    );
    must(
      source.forcedDown || guest.movedFrom !== null,
      'no instance is moved before its host is forced down',
      `${guest.name} of ${source.name}`,
    );
    const other = this.#spareOf.get(target);
    must(
      other === undefined || other === source.name,
      'no spare twice',
      `${target} for ${other} and ${source.name}`,
    );
    this.#spareOf.set(target, source.name);
    this.#withinLimit(source, isAlone);
  }

  /** One that is proven to be off, and is, is not given up half-way for what it reported before. */
  ended({ dead, outcome, refusal }: RecoveryReport): void {
    const demand = 'what is proven off is recovered whole';
    const { powered, poweredSinceMs } = this.#world.host(dead);
    const begunMs = this.#begun.findLast(({ host }) => host === dead)?.atMs ?? Number.POSITIVE_INFINITY;
    const wasOff = !powered && poweredSinceMs < begunMs && this.#shotMs.has(dead);
    if (!this.#isOn(demand) || this.#rules.fencing === 'none' || outcome !== 'stopped' || !wasOff) return;
    const forReports = refusal?.name === 'came-back' && /heartbeat|reported/.test(refusal.evidence);
    must(!forReports, demand, dead);
  }

  /** Somebody who is not Sonny does something to the instances of a cloud. */
  byOperator(work: () => void): void {
    this.#isOperator = true;
    work();
    this.#isOperator = false;
  }

  evacuationTaken(guest: Instance, target: string, second: boolean): void {
    if (this.#isOperator) {
      this.#operatedMs.set(guest, this.#world.timeline.nowMs);
      return;
    }
    this.counts.taken += 1;
    this.#judge(() =>
      must(
        !second || this.#isOperatorsFault(guest),
        'no instance is evacuated twice at once',
        `${guest.name} to ${target}`,
      ),
    );
  }

  /** An operator evacuated it after the last look that Sonny could have had, or after Sonny asked. */
  #isOperatorsFault(guest: Instance): boolean {
    const operatedMs = this.#operatedMs.get(guest) ?? Number.NEGATIVE_INFINITY;
    return operatedMs > (this.#askedMs.get(guest) ?? 0) - lookedWithinMs;
  }

  secondWriter(guest: Instance, target: string, others: readonly string[]): void {
    this.counts.secondWriters += 1;
    this.rival?.secondWriter(guest, target, others);
    const where = `${guest.name} on ${others.join()} and ${target}`;
    const existed = this.#existedWhenAsked.has(guest);
    const isUnknowable = !existed;
    // What a host that was taken for dead starts when it is switched on is no deed of Sonny's, who must tell of it
    // (twice.ts): by an order that lay in its queue, or by its operating system.
    const isReturn = this.forcedDown.has(target) && this.#askedTarget.get(guest) !== target;
    // Whoever is cut off is no writer: what is left are those proven off, which were not.
    const isExcused =
      this.#operatedMs.has(guest) ||
      isReturn ||
      (isUnknowable && (this.disks === null || this.disks.isExcused([target, ...others])));
    if (this.#rules.fencing === 'required' && isExcused) this.counts.excused += 1;
    this.#judge(() => must(isExcused, 'never two writers on a disk', where));
    // Without fencing a source that was silent to everybody may live: that it was silent is judged when it is begun, when
    // it is forced down, and with each request.
  }

  /**
   * Whoever got power and started his guests since the last sign of silence cannot be known, and no request that left
   * can be called back. Nor can a device be known that lies about a host of which nobody hears anything, or that is
   * another one's whom nobody misses.
   */
  #couldBeKnown(guest: Instance, host: string): boolean {
    const ranMs = this.#world.timeline.nowMs - (guest.startedMs.get(host) ?? 0);
    if (this.disks?.isJustRemoved(host) === true) return false;
    return !this.#deceived.has(host) && !this.#misaimed.has(host) && ranMs > confirmedWithinMs;
  }

  /** Was it shot by a plan that names another machine's device? */
  isMisaimed(host: string): boolean {
    return this.#misaimed.has(host);
  }

  /** An evacuation to a third host that failed half-way, or anything that leads there and was not ended. */
  #isOnRecord(guest: Instance, source: string, host: string): boolean {
    const { migrations, cloudNowMs } = this.#world;
    return migrations.some(
      ({ instance, target, status, updatedAtMs }) =>
        instance === guest &&
        target === host &&
        host !== source &&
        status !== 'error' &&
        cloudNowMs - updatedAtMs > lookedWithinMs,
    );
  }

  /** Where an agent's proof is demanded, its device is asked again with each sign of silence. */
  #hasNoPower(host: Host, detail: string): void {
    const demand = 'no instance is moved from a host that has power again';
    if (!this.#isOn(demand) || this.#rules.fencing === 'none' || !host.powered || host.bmc !== 'works')
      return;
    if (this.#deceived.has(host.name) || this.#misaimed.has(host.name)) return;
    if (this.disks?.isCutOffOnly(host.name) === true) return;
    const poweredMs = this.#world.timeline.nowMs - host.poweredSinceMs;
    must(poweredMs <= confirmedWithinMs, demand, `${detail}, for ${Math.round(poweredMs / 1_000)} s`);
  }

  /** Whatever might be under way for it counts as under way: it may run somewhere already, or will. */
  #isNotUnderWay({ name, taskState, updatedAtMs }: Instance): void {
    const demand = 'no instance is moved while something else is under way for it';
    if (!this.#isOn(demand) || taskState === null || !elsewhere.has(taskState)) return;
    must(this.#world.cloudNowMs - updatedAtMs <= lookedWithinMs, demand, `${name} is ${taskState}`);
  }

  /** In the middle of somebody's call: it must not be caught there. */
  #judge(ask: () => void): void {
    try {
      ask();
    } catch (violation) {
      this.#world.timeline.fail(violation);
    }
  }

  /** Not heard, or not for long enough to be noticed. */
  #isSilent(host: Host, rule: string, detail: string, withinMs = noticedWithinMs): void {
    const { nowMs } = this.#world.timeline;
    if (this.eyesOpenSinceMs === null || nowMs - this.eyesOpenSinceMs < noticedWithinMs) return;
    const answersMs = host.answersSinceMs === null ? 0 : nowMs - host.answersSinceMs;
    must(answersMs <= withinMs, rule, `${detail}, which answers for ${Math.round(answersMs / 1000)} s`);
    const isOvn = this.#world.ovn !== null;
    const firstMs = host.reportsSinceMs ?? nowMs;
    const reports = host.agents.some(
      (agent) => isOvn || lastReport(agent, nowMs) > nowMs - this.#rules.heartbeatPeriodMs,
    );
    must(
      !reports || nowMs - firstMs <= (isOvn ? askedWithinMs : withinMs),
      rule,
      `${detail}, whose agents report for ${Math.round((nowMs - firstMs) / 1000)} s`,
    );
    for (const { demand, sinceMs, words } of signsOfLife(host))
      if (this.#isOn(demand))
        must(
          nowMs - sinceMs <= withinMs,
          demand,
          `${detail}, ${words} for ${Math.round((nowMs - sinceMs) / 1000)} s`,
        );
  }

  #withinLimit(source: Host, isAlone: boolean): void {
    const { nowMs } = this.#world.timeline;
    const { deadBackoff, cooldownMs } = this.#rules;
    const own = this.#begun.findLast((b) => b.host === source.name);
    // Who recovers one by hand, without the monitor, has decided it himself, and the monitor's own cooldown is none of
    // his: its order for the same host may wait beside him, and is refused in the end without a change.
    if (this.decidedByHand.has(source.name) && (own === undefined || isAlone)) return;
    if (own === undefined) throw new Violation('nothing is moved that nobody decided on', source.name);
    own.acted = true;
    must(deadBackoff > 0, 'dry mode never acts', source.name);
    if (this.cooldownBlurredMs > nowMs - cooldownMs) return;
    const near = this.#begun.filter(
      (b) => b.acted && Math.abs(b.atMs - own.atMs) < cooldownMs - 1_000 - this.clockSpreadMs(),
    );
    const hosts = new Set(near.map((b) => b.host));
    must(hosts.size <= deadBackoff, 'at most dead_backoff hosts per cooldown', [...hosts].join(', '));
  }
}
