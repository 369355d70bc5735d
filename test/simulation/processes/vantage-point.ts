// The vantage points of one worker: what a scan from its machine finds in the true world.

import { guestAnswers, hostAnswers } from '../../../simulator/world/physics.ts';
import type { ScanFinding, ScanResult, ScanTarget } from '../../../src/shared/documents/jobs/scan.ts';
import { counted } from '../../../src/shared/ground/counted.ts';
import { withBaseline } from '../../../src/shared/rules/senses/baseline.ts';
import { isVouchedFor } from '../../../src/shared/rules/senses/vouching.ts';
import type { Random } from '../random.ts';
import type { Weather } from '../weather.ts';
import type { World } from '../world/world.ts';

export type SeenScan = ScanResult & { ok: true };
export interface ScanQuestion {
  readonly targets: readonly ScanTarget[];
  readonly controls: readonly ScanTarget[];
}

export class VantagePoint {
  readonly name: string;
  /** What its own network does not reach. */
  readonly blind: { hosts: boolean; guests: boolean; zone: string | null; host: string | null } = {
    ...{ hosts: false, guests: false, zone: null, host: null },
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
    const { hosts, guests, zone, host } = this.blind;
    return !hosts && !guests && zone === null && host === null;
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
      : { state: 'silent', detail: `${counted(endpoints.length, 'port')} silent` };
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
    if (this.blind.host !== null && this.blind.host === ('cut' in owner ? owner.name : owner.host))
      return false;
    if ('cut' in owner)
      return !this.#blink.hosts && !this.blind.hosts && this.blind.zone !== owner.zone && hostAnswers(owner);
    if (this.#blink.guests || this.blind.guests || this.blind.zone === world.host(owner.host ?? '').zone)
      return false;
    return guestAnswers(world, owner);
  }
}
