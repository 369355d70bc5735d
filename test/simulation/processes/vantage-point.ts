// The vantage points of one worker: what a scan from its machine finds in the true world.

import type { Host } from '../../../simulator/world/model.ts';
import { guestAnswers, hostAnswers, hostSends } from '../../../simulator/world/physics.ts';
import { judge } from '../../../src/ns4/scan/finding.ts';
import { probeOf } from '../../../src/ns4/scan/offence.ts';
import type { ScanFinding, ScanResult, ScanTarget } from '../../../src/shared/documents/jobs/scan.ts';
import { counted } from '../../../src/shared/ground/counted.ts';
import { withBaseline } from '../../../src/shared/rules/senses/baseline.ts';
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

  /** When each address answered it last, as a Redis keeps it that outlives the process. */
  readonly #heardAtMs = new Map<string, number>();
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
    return endpoints.some(({ address }) => this.reaches(address))
      ? { state: 'answers', detail: `${first.address}:${first.port} open` }
      : this.#isProhibited(first.address)
        ? judge([{ endpoint: first, probe: prohibited }], 'alive')
        : { state: 'silent', detail: `${counted(endpoints.length, 'port')} silent` };
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
  #asReported({ endpoints, heardSinceMs }: ScanTarget, finding: ScanFinding): ScanFinding {
    const nowMs = this.#world.timeline.nowMs;
    const times = endpoints.flatMap(({ address }) => this.#heardAtMs.get(address) ?? []);
    const lastHeardMs = times.length === 0 ? null : Math.max(...times);
    if (finding.state === 'answers')
      for (const { address } of endpoints) if (this.reaches(address)) this.#heardAtMs.set(address, nowMs);
    return withBaseline(finding, { lastHeardMs, heardSinceMs }, nowMs);
  }

  /** One pass of the background scan, here in a moment: what answers is noted. */
  hearEverybody(): void {
    this.#blink = { hosts: false, guests: false };
    const { byAddress, timeline } = this.#world;
    for (const address of byAddress.keys())
      if (this.reaches(address)) this.#heardAtMs.set(address, timeline.nowMs);
  }

  /** Does the baseline let the silence of this address count? */
  hasHeard(address: string, sinceMs = 0): boolean {
    return (this.#heardAtMs.get(address) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
  }

  /** Redis lost what it heard. */
  forget(): void {
    this.#heardAtMs.clear();
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

/** "Host administratively prohibited", from the host itself, as the real scanner reads it. */
const prohibited = probeOf({
  ...{ id: 1, end: 'icmp', errno: 'EHOSTUNREACH', tookMs: 10 },
  ...{ by: 'target', version: 4, type: 3, code: 10 },
});
