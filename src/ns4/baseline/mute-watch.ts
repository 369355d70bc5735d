// Which guests fell silent while all was well with their hosts: a firewall that was closed, a guest that hangs. What they
// answered before is no reason any more to take their silence for their host's. A host that dies must not make its guests
// such: it has to be heard before, during and well after the passes in which they did not answer. Pure, but for what it
// remembers; an ns4 that starts anew begins to count anew.
import type { Picture } from '../../shared/picture/picture.ts';
import type { HeardAddress } from '../../shared/rules/senses/baseline.ts';
import { type HeartbeatRules, heardItselfMs } from '../../shared/rules/senses/heartbeat.ts';
import type { Place, Places } from './places.ts';

/** In a picture a host is well if it was heard so short a time before: late heartbeats are no death. */
const wellForPeriods = 2;
/** It was well after a pass if it is so in a picture so much later: more than late heartbeats and other clocks make up. */
const wellAfterPeriods = 4;
/**
 * A network on which nobody answers is dark: its guests are not asked in vain. But not for ever: there may be nobody left
 * who could answer.
 */
const darkMs = 1_800_000;

/** A time by both clocks. */
export interface Moment {
  /** Since the epoch. */
  readonly nowMs: number;
  /** It never goes back. */
  readonly steadyMs: number;
}

/** The pictures, one after the other, in which a host is well. */
interface WellRun {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Passes in which an address did not answer, since it did; all in steady time. */
interface Vain {
  readonly place: Place;
  /** The last one before the second. */
  readonly askedAtMs: number;
  /** One lost packet is nothing: the second pass counts. */
  readonly secondAtMs: number | null;
}

export class MuteWatch {
  readonly #rules: HeartbeatRules;
  readonly #vain = new Map<string, Vain>();
  /** By network: when any guest on it answered last, in steady time. */
  readonly #answeredAtMs = new Map<string, number>();
  #wellRuns: ReadonlyMap<string, WellRun> = new Map();

  constructor(rules: HeartbeatRules) {
    this.#rules = rules;
  }

  /** Each picture of the hosts in its turn. */
  showHosts(picture: Picture): void {
    const { collectedAtMs: atMs } = picture;
    const limitMs = wellForPeriods * this.#rules.heartbeatPeriodMs;
    const runs = new Map<string, WellRun>();
    for (const { host } of picture.hypervisors) {
      const heardAtMs = heardItselfMs(host, picture, atMs, this.#rules);
      if (heardAtMs === null || atMs - heardAtMs > limitMs) continue;
      const before = this.#wellRuns.get(host);
      const goesOn = before !== undefined && before.lastMs <= atMs;
      runs.set(host, { firstMs: goesOn ? before.firstMs : atMs, lastMs: atMs });
    }
    this.#wellRuns = runs;
  }

  /**
   * A pass asked these addresses, and could tell of them. Returns those that did not answer any more while their hosts were
   * well, with the time of the second pass that they did not answer (ms since the epoch).
   */
  asked(
    addresses: readonly string[],
    answered: ReadonlySet<string>,
    places: Places,
    { nowMs, steadyMs }: Moment,
  ): Map<string, number> {
    for (const address of answered) {
      const network = places.of(address)?.network ?? null;
      if (network !== null) this.#answeredAtMs.set(network, steadyMs);
    }
    const mute = new Map<string, number>();
    for (const address of addresses) {
      const place = places.of(address);
      if (answered.has(address) || place === null || place.host === null) {
        this.#vain.delete(address);
        continue;
      }
      const secondAtMs = this.#inVain(address, place, steadyMs);
      if (secondAtMs === null || this.#isDark(place, secondAtMs, steadyMs)) continue;
      const sinceMs = nowMs - (steadyMs - secondAtMs);
      const run = this.#wellRuns.get(place.host);
      if (run === undefined || run.firstMs > sinceMs) {
        // Its host was not well then; this pass may be the second of those that count.
        this.#vain.set(address, { place, askedAtMs: steadyMs, secondAtMs: steadyMs });
        continue;
      }
      const laterMs = wellAfterPeriods * this.#rules.heartbeatPeriodMs;
      if (places.collectedAtMs > sinceMs && run.lastMs >= sinceMs + laterMs) mute.set(address, sinceMs);
    }
    return mute;
  }

  /** Only these are still asked. */
  keep(isWanted: (address: string) => boolean): void {
    for (const address of this.#vain.keys()) if (!isWanted(address)) this.#vain.delete(address);
  }

  /** When it did not answer for the second time, this one included; null: not yet. */
  #inVain(address: string, place: Place, steadyMs: number): number | null {
    const before = this.#vain.get(address);
    // Elsewhere, or another's now: whatever it did not say before is of another host.
    if (before === undefined || before.place.id !== place.id || before.place.host !== place.host) {
      this.#vain.set(address, { place, askedAtMs: steadyMs, secondAtMs: null });
      return null;
    }
    if (before.secondAtMs !== null) return before.secondAtMs;
    const secondAtMs = this.#isDark(place, before.askedAtMs, steadyMs) ? null : steadyMs;
    this.#vain.set(address, { place, askedAtMs: steadyMs, secondAtMs });
    return secondAtMs;
  }

  #isDark({ network }: Place, sinceMs: number, steadyMs: number): boolean {
    const answeredAtMs = network === null ? undefined : this.#answeredAtMs.get(network);
    return answeredAtMs !== undefined && answeredAtMs < sinceMs && steadyMs - answeredAtMs < darkMs;
  }
}

/** Those of `mute` that were heard before, by what is known of them, and are not noted as mute yet. */
export function newlyMute(
  mute: ReadonlyMap<string, number>,
  heard: ReadonlyMap<string, HeardAddress>,
  nowMs: number,
): Map<string, number> {
  return new Map(
    [...mute].filter(([address, sinceMs]) => {
      const answer = heard.get(address);
      if (answer === undefined || answer.isMute) return false;
      // Another scan may have heard it since; an answer in the future is of a clock that was set back.
      return answer.atMs < sinceMs || answer.atMs > nowMs;
    }),
  );
}
