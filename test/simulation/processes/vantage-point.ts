// The vantage points of one worker: what a scan from its machine finds in the true world.

import type { Host, Instance } from '../../../simulator/world/model.ts';
import { guestAnswers, guestIsThere, hostAnswers, hostSends } from '../../../simulator/world/physics.ts';
import { MuteWatch, newlyMute } from '../../../src/ns4/baseline/mute-watch.ts';
import { Places } from '../../../src/ns4/baseline/places.ts';
import { isAnswer, judge } from '../../../src/ns4/scan/finding.ts';
import { probeOf } from '../../../src/ns4/scan/offence.ts';
import type { Probe } from '../../../src/ns4/scan/probe.ts';
import type { ScanSettings } from '../../../src/shared/config/settings.ts';
import type { ScanFinding, ScanResult, ScanTarget } from '../../../src/shared/documents/jobs/scan.ts';
import type { Clock } from '../../../src/shared/ground/clock.ts';
import { counted } from '../../../src/shared/ground/counted.ts';
import type { Picture } from '../../../src/shared/picture/picture.ts';
import { type HeardAddress, withBaseline } from '../../../src/shared/rules/senses/baseline.ts';
import { isVouchedFor } from '../../../src/shared/rules/senses/vouching.ts';
import { outsideNetworkOf } from '../judges/life.ts';
import type { Random } from '../random.ts';
import type { Weather } from '../weather.ts';
import type { World } from '../world/world.ts';

export type SeenScan = ScanResult & { ok: true };
export interface ScanQuestion {
  readonly targets: readonly ScanTarget[];
  readonly controls: readonly ScanTarget[];
}

/**
 * All hosts or guests, all of a zone, a host with its guests, that host alone, the guests of that host alone, or all
 * addresses on one external network.
 */
interface Blindness {
  hosts: boolean;
  guests: boolean;
  zone: string | null;
  host: string | null;
  management: string | null;
  guestsNetwork: string | null;
  network: string | null;
}

/** Everybody listens on it, hypervisors and guests, and on no other one. */
export const openPort = 22;

/** What the background scan of a process goes by. */
interface Listening {
  readonly heartbeatPeriodMs: number;
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  readonly refusedMeans?: ScanSettings['refusedMeans'];
}

/** Passes in vain after which a guest may be called mute. */
const passesNoticed = 2;
/** Likewise after which it must be: half an hour on a network where nobody else answers, and three more. */
const passesLong = 10;

export class VantagePoint {
  readonly name: string;
  /** What its own network does not reach. */
  readonly blind: Blindness = {
    ...{ hosts: false, guests: false, zone: null, host: null, management: null, guestsNetwork: null },
    network: null,
  };
  readonly #world: World;
  readonly #random: Random;
  readonly #weather: Weather;

  constructor(name: string, world: World, random: Random, weather: Weather) {
    this.name = name;
    this.#world = world;
    this.#random = random;
    this.#weather = weather;
  }

  /** What each address answered it last, as a Redis keeps it that outlives the process. */
  readonly #heard = new Map<string, HeardAddress>();
  /** Of the process that looks from here now. */
  #muteWatch: MuteWatch | null = null;
  #refusedMeans: ScanSettings['refusedMeans'] = 'alive';
  #ports: { readonly hosts: readonly number[]; readonly guests: readonly number[] } = {
    ...{ hosts: [openPort], guests: [openPort] },
  };
  /** In how many passes, one after the other, did a guest truly not answer while all was well with its host? */
  readonly #mutePasses = new Map<string, number>();
  readonly #trueClock = {
    nowMs: () => this.#world.timeline.nowMs,
    steadyMs: () => this.#world.timeline.nowMs,
  };
  /** Called when it does not see for a moment. */
  onBlink: () => void = () => {};
  #blink: { readonly hosts: boolean; readonly guests: boolean } = { hosts: false, guests: false };

  get sighted(): boolean {
    const { hosts, guests, ...parts } = this.blind;
    return !hosts && !guests && Object.values(parts).every((which) => which === null);
  }

  /** Does the scanner break, so that nothing is known? */
  fails(): boolean {
    return this.#random.chance(this.#weather.scanFails);
  }

  /** What is seen now; told only after the time that silence takes. */
  look({ targets, controls }: ScanQuestion): { result: SeenScan; tookMs: number } {
    const random = this.#random;
    this.#blink = { hosts: false, guests: false };
    if (random.chance(this.#weather.eyeBlinks)) {
      const what = random.pick(['hosts', 'guests', 'all']);
      this.#blink = { hosts: what !== 'guests', guests: what !== 'hosts' };
      this.onBlink();
    }
    const trouble = random.chance(this.#weather.ownTrouble) ? random.pick([0.1, 0.5, 1]) : 0;
    const look = (all: readonly ScanTarget[]) =>
      Object.fromEntries(all.map((target) => [target.name, this.#finding(target, trouble)]));
    const seen = { targets: look(targets), controls: look(controls) };
    const allAnswer = targets.every(({ name }) => seen.targets[name]?.state === 'answers');
    const isVouched = isVouchedFor(controls, (name) => seen.controls[name]?.state === 'answers');
    const outcome = isVouched || allAnswer ? 'seen' : 'blind';
    const report = (all: readonly ScanTarget[], found: Record<string, ScanFinding>) => {
      for (const target of all) {
        const finding = found[target.name];
        if (finding !== undefined) found[target.name] = this.#asReported(target, finding);
      }
    };
    report(targets, seen.targets);
    report(controls, seen.controls);
    const tookMs = allAnswer ? 50 : 3_050;
    return { result: { ok: true, outcome, ...seen, tookMs }, tookMs };
  }

  #finding({ endpoints }: ScanTarget, trouble: number): ScanFinding {
    const [first] = endpoints;
    if (first === undefined) return { state: 'unknown', detail: 'it has no address to scan' };
    if (trouble > 0 && this.#random.chance(trouble)) return { state: 'unknown', detail: 'EMFILE' };
    const reached = endpoints.filter(({ address }) => this.reaches(address));
    if (reached.length > 0) {
      const probes = reached.map((endpoint) => ({ endpoint, probe: probeAt(endpoint.port) }));
      return judge(probes, this.#refusedMeans);
    }
    if (this.#isProhibited(first.address)) return judge([{ endpoint: first, probe: prohibited }], 'alive');
    const inItsName = endpoints.find(({ address }) => this.#isUnreachable(address));
    if (inItsName !== undefined) return judge([{ endpoint: inItsName, probe: unreachable }], 'alive');
    return { state: 'silent', detail: `${counted(endpoints.length, 'port')} silent` };
  }

  /**
   * Does the router of floating addresses say in its name that nobody is there? Always, as if others asked for it all
   * the time.
   */
  #isUnreachable(address: string): boolean {
    const world = this.#world;
    const owner = world.byAddress.get(address);
    if (owner === undefined || 'cut' in owner || this.#blink.guests || this.blind.guests) return false;
    const isFloating = owner.addresses.some((one) => one.address === address && one.type === 'floating');
    return isFloating && !guestIsThere(world, owner);
  }

  /** Does its own firewall send an error? */
  #isProhibited(address: string): boolean {
    const owner = this.#world.byAddress.get(address);
    return (
      owner !== undefined &&
      'cut' in owner &&
      owner.firewall === 'prohibits' &&
      this.#seesHost(owner) &&
      hostSends(owner)
    );
  }

  #seesHost({ name, zone }: Host): boolean {
    const { blind } = this;
    if (this.#blink.hosts || blind.hosts || blind.zone === zone) return false;
    return blind.host !== name && blind.management !== name;
  }

  #seesGuestsOf({ name, zone }: Host): boolean {
    const { blind } = this;
    if (this.#blink.guests || blind.guests || blind.zone === zone) return false;
    return blind.host !== name && blind.guestsNetwork !== name;
  }

  /** The finding after the real rule on who was heard before; every answer is noted. */
  #asReported(target: ScanTarget, finding: ScanFinding): ScanFinding {
    const nowMs = this.#world.timeline.nowMs;
    const { endpoints, name, kind } = target;
    const answers = endpoints.flatMap(({ address }) => this.#heard.get(address) ?? []);
    if (finding.state === 'answers')
      for (const { address } of endpoints)
        if (this.reaches(address)) this.#note(address, kind === 'guest' ? name : null);
    return withBaseline(finding, target, answers, nowMs);
  }

  #note(address: string, of: string | null): void {
    this.#heard.set(address, { atMs: this.#world.timeline.nowMs, of, isMute: false });
    this.#mutePasses.delete(address);
  }

  /** Another process looks from here now. */
  begin(rules: Listening): void {
    this.#muteWatch = new MuteWatch(rules);
    this.#refusedMeans = rules.refusedMeans ?? 'alive';
    this.#ports = { hosts: rules.hypervisorPorts, guests: rules.instancePorts };
  }

  /** A refresh stored this. */
  showHosts(picture: Picture): void {
    this.#muteWatch?.showHosts(picture);
  }

  /**
   * One pass of the background scan, here in a moment: what answers is noted, and who does not although its host is well.
   * `clock`: that of the process; `places`: whose the addresses are, as the inventory has it.
   */
  hearEverybody(
    clock: Pick<Clock, 'nowMs' | 'steadyMs'> = this.#trueClock,
    places = new Places(Number.NEGATIVE_INFINITY),
  ): void {
    this.#blink = { hosts: false, guests: false };
    const { byAddress, timeline } = this.#world;
    const answered = new Set<string>();
    const guests: string[] = [];
    for (const [address, owner] of byAddress) {
      const isGuest = !('cut' in owner);
      if (isGuest) guests.push(address);
      if (this.reaches(address) && this.#hears(isGuest ? 'guests' : 'hosts')) {
        this.#note(address, places.of(address)?.id ?? null);
        answered.add(address);
      } else if (isGuest) this.#countMute(address, owner);
    }
    const moment = { nowMs: clock.nowMs(), steadyMs: clock.steadyMs() };
    const mute = this.#muteWatch?.asked(guests, answered, places, moment) ?? new Map<string, number>();
    // What was heard is kept in true time.
    const offsetMs = moment.nowMs - timeline.nowMs;
    const inTrueTime = new Map([...mute].map(([address, sinceMs]) => [address, sinceMs - offsetMs]));
    for (const address of newlyMute(inTrueTime, this.#heard, timeline.nowMs).keys()) {
      const answer = this.#heard.get(address);
      if (answer !== undefined) this.#heard.set(address, { ...answer, isMute: true });
    }
  }

  /** Is what the living answer on its own ports an answer to it? */
  #hears(whom: 'hosts' | 'guests'): boolean {
    return this.#ports[whom].some((port) => isAnswer(probeAt(port), this.#refusedMeans));
  }

  /** By the world, not by what anybody knows of it. */
  #countMute(address: string, { host }: Instance): void {
    const on = host === null ? undefined : this.#world.hosts.get(host);
    const isWell = on?.powered && !on.frozen && !on.cut.reports && Object.values(on.up).every(Boolean);
    if (isWell) this.#mutePasses.set(address, (this.#mutePasses.get(address) ?? 0) + 1);
    else this.#mutePasses.delete(address);
  }

  /**
   * Must the baseline let the silence of this address count? Not where a guest truly did not answer two passes while its
   * host was well.
   */
  hasHeard(address: string, sinceMs = 0): boolean {
    const answer = this.#heard.get(address);
    if (answer === undefined || answer.atMs < sinceMs) return false;
    return !answer.isMute || (this.#mutePasses.get(address) ?? 0) < passesNoticed;
  }

  /** Must everybody know by now that this guest fell silent for reasons of its own? */
  isLongMute(address: string): boolean {
    return (this.#mutePasses.get(address) ?? 0) >= passesLong;
  }

  /** Redis lost what it heard. */
  forget(): void {
    this.#heard.clear();
  }

  reaches(address: string): boolean {
    const world = this.#world;
    const owner = world.byAddress.get(address);
    if (owner === undefined) return false;
    if ('cut' in owner) return this.#seesHost(owner) && hostAnswers(owner);
    const on = owner.addresses.find((one) => one.address === address);
    if (on !== undefined && outsideNetworkOf(on) === (this.blind.network ?? undefined)) return false;
    return this.#seesGuestsOf(world.host(owner.host ?? '')) && guestAnswers(world, owner);
  }
}

const open: Probe = { state: 'open', code: null };
const refused: Probe = { state: 'refused', code: null };
/** What who lives and is reached answers on this port. */
const probeAt = (port: number): Probe => (port === openPort ? open : refused);

/** "Host administratively prohibited", from the host itself, as the real scanner reads it. */
const prohibited = probeOf(
  {
    ...{ id: 1, end: 'icmp', errno: 'EHOSTUNREACH', tookMs: 10 },
    ...{ by: 'target', version: 4, type: 3, code: 10 },
  },
  'host',
);

/** "Host unreachable", from a router that rewrites its own errors, too (docs/facts.md#icmp-errors-and-neighbours). */
const unreachable = probeOf(
  {
    ...{ id: 1, end: 'icmp', errno: 'EHOSTUNREACH', tookMs: 10 },
    ...{ by: 'target', version: 4, type: 3, code: 1 },
  },
  'guest',
);
