// Judges what is done to the cloud, by the truth of the moment: never two writers that could have been known of, no
// instance twice at once, no spare twice, no more hosts per cooldown than allowed, nothing done to a host that is
// heard.

import type { Host, Instance } from '../../../simulator/world/model.ts';
import { copiesOf } from '../../../simulator/world/physics.ts';
import { lastReport } from '../../../simulator/world/reports.ts';
import type { Listener } from '../../../simulator/world/world.ts';
import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import type { World } from '../world/world.ts';
import { must, Violation } from './violation.ts';

interface Begun {
  readonly incident: string;
  readonly host: string;
  readonly atMs: number;
  acted: boolean;
}

/** A host that can be heard for this long by everybody is heard before anything more is done to it. */
const noticedWithinMs = 60_000;
/** Powering off follows a look that is younger. */
const shotWithinMs = 18_000;

export class Deeds implements Listener {
  readonly counts = { taken: 0, shots: 0, secondWriters: 0 };
  /** Can everybody see everything, and since when? What is not seen cannot be heeded. */
  eyesOpenSinceMs: number | null;
  /** Nothing can be said about cooldowns begun before: an operator reset it, or the monitor's clock jumped. */
  cooldownBlurredMs = Number.NEGATIVE_INFINITY;
  /** Told of each act as it leaves, and of the host it is about. */
  onAct: (what: 'shot' | 'force-down' | 'evacuate', host: Host) => void = () => {};
  /** How far the clocks of the machines are apart, at most. */
  clockSpreadMs: () => number = () => 0;
  readonly #world: World;
  readonly #rules: Rules;
  readonly #begun: Begun[] = [];
  /** Hosts that somebody asked Nova to force down. */
  readonly forcedDown: Set<string> = new Set();
  /** Guests a copy of which existed when they were asked for last. */
  readonly #existedWhenAsked = new Set<Instance>();
  readonly #spareOf = new Map<string, string>();

  constructor(world: World, rules: Rules) {
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
    this.#judge(() => this.#isSilent(host, 'no host that is heard is forced down', host.name));
  }

  /** A host is about to be powered off by its fencing device. */
  shot(host: Host): void {
    this.counts.shots += 1;
    this.onAct('shot', host);
    this.#judge(() => this.#isSilent(host, 'no host that is heard is powered off', host.name, shotWithinMs));
  }

  /** A request for an evacuation leaves its worker. */
  asked(guest: Instance, target: string): void {
    this.onAct('evacuate', this.#world.host(guest.movedFrom ?? guest.host ?? ''));
    this.#judge(() => this.#asked(guest, target));
  }

  #asked(guest: Instance, target: string): void {
    const source = this.#world.host(guest.movedFrom ?? guest.host ?? '');
    if (source.name === target) return;
    if (copiesOf(this.#world, guest).some((name) => name !== target)) this.#existedWhenAsked.add(guest);
    else this.#existedWhenAsked.delete(guest);
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
    this.#withinLimit(source);
  }

  evacuationTaken(guest: Instance, target: string, second: boolean): void {
    this.counts.taken += 1;
    this.#judge(() => must(!second, 'no instance is evacuated twice at once', `${guest.name} to ${target}`));
  }

  secondWriter(guest: Instance, target: string, others: readonly string[]): void {
    this.counts.secondWriters += 1;
    const where = `${guest.name} on ${others.join()} and ${target}`;
    // A host that somebody switches on after the last request left is his affair.
    const existed = this.#existedWhenAsked.has(guest);
    this.#judge(() => must(this.#rules.fencing === 'none' || !existed, 'never two writers on a disk', where));
    // Without fencing what was silent to everybody may live: that it was silent is judged when it is begun and asked
    // for.
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
    const firstMs = host.reportsSinceMs ?? nowMs;
    const reports = host.agents.some(
      (agent) => lastReport(agent, nowMs) > nowMs - this.#rules.heartbeatPeriodMs,
    );
    must(
      !reports || nowMs - firstMs <= withinMs,
      rule,
      `${detail}, whose agents report for ${Math.round((nowMs - firstMs) / 1000)} s`,
    );
  }

  #withinLimit(source: Host): void {
    const { nowMs } = this.#world.timeline;
    const { deadBackoff, cooldownMs } = this.#rules;
    const own = this.#begun.findLast((b) => b.host === source.name);
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
