// A worker's fencing devices: they truly power a host off, or fail in the ways that such devices do. The proof is as
// good as the real one; a word of an operator counts as in the real one.
import { powerOff, powerOn } from '../../../simulator/world/host-power.ts';
import type { DeviceFault, Host } from '../../../simulator/world/model.ts';
import type { World } from '../../../simulator/world/world.ts';
import type { Bystanders, BystanderWatch } from '../../../src/ns4/fencing/bystanders.ts';
import type { FenceOutcome, FenceRequest, Fencing } from '../../../src/ns4/fencing/fencing.ts';
import type { PowerSeen, ProofByAgent } from '../../../src/ns4/fencing/proof.ts';
import { again, type Shot } from '../../../src/ns4/fencing/shots.ts';
import type { FenceFailure } from '../../../src/shared/documents/refusals/of-recoveries.ts';
import type { Random } from '../random.ts';
import type { Process } from './process.ts';
import type { RedisLink } from './redis-link.ts';

interface Word {
  readonly who: string;
  readonly atMs: number;
}

const shotKey = (host: string, incident: string, level: number) => `shot:${host}:${incident}:${level}`;

interface Parts {
  readonly world: World;
  readonly process: Process;
  readonly link: RedisLink;
  readonly random: Random;
  readonly aims: ReadonlyMap<string, string>;
}

interface FenceWatcher {
  /** A device is about to be told. */
  shot(host: Host, fault: DeviceFault | null): void;
  /** A device or an operator says that it is off. */
  proved(host: string): void;
}

export const bystandersKey = (host: string): string => `bystanders:${host}`;
export const wordKey = (host: string): string => `word:${host}`;

/** An operator's word that the host is off, where it counts. */
export async function wordIn(link: RedisLink, host: string, heardAtMs: number | null): Promise<Word | null> {
  const word = await link.call(() => link.redis.get<Word>(wordKey(host)) ?? null);
  if (word === null || word.atMs > link.process.clock.nowMs() + 5_000) return null;
  return heardAtMs === null || heardAtMs < word.atMs ? word : null;
}

export class PretendFencing implements Fencing {
  readonly #world: World;
  readonly #process: Process;
  readonly #link: RedisLink;
  readonly #random: Random;
  readonly #watcher: FenceWatcher;
  readonly #aims: ReadonlyMap<string, string>;

  /** `aims`: hosts for which this worker's plan names the device of another one. */
  constructor({ world, process, link, random, aims }: Parts, watcher: FenceWatcher) {
    this.#aims = aims;
    this.#world = world;
    this.#process = process;
    this.#link = link;
    this.#random = random;
    this.#watcher = watcher;
  }

  readonly bystanders: Bystanders = {
    of: (host) => this.#link.call(() => this.#link.redis.get<BystanderWatch>(bystandersKey(host)) ?? null),
    keep: (host, watch) => this.#link.call(() => this.#link.redis.set(bystandersKey(host), watch)),
    forget: (host) => this.#link.call(() => this.#link.redis.delete(bystandersKey(host))),
  };

  async fence(request: FenceRequest): Promise<FenceOutcome> {
    const outcome = await this.#fence(request);
    if (outcome.proven) this.#watcher.proved(request.host);
    return outcome;
  }

  async #fence(request: FenceRequest): Promise<FenceOutcome> {
    const { host: name, incident, signal, heardAtMs, doubtedSinceMs, beforeOff } = request;
    const process = this.#process;
    const host = this.#world.host(name);
    const given = await this.#wordFor(name, heardAtMs);
    if (doubtedSinceMs !== null)
      return given !== null && given.atMs > doubtedSinceMs
        ? { proven: true, proof: { by: 'operator', ...given, failed: [] } }
        : { proven: false, failures: [] };
    const failures: FenceFailure[] = [];
    for (const level of host.outlet === 'none' ? [1] : [1, 2]) {
      const agent = level === 1 ? 'fence_ipmilan' : 'fence_apc';
      const told = await this.#toldBefore(name, incident, level, given);
      if (told === 'proof') {
        const proof = { agent, level, atMs: process.clock.nowMs(), output: 'status: off', failed: [] };
        return { proven: true, proof: { by: 'agent', ...proof } };
      }
      if (told !== 'tell') {
        failures.push({ agent, failure: told, detail: 'no answer' });
        if (told === 'switched-on') break;
        continue;
      }
      const keep = (effect: Shot['effect'], seenOff: boolean) => {
        const shot: Shot = { ...{ level, device: 0, agent, effect, seenOff }, atMs: process.clock.nowMs() };
        return this.#link.call(() => this.#link.redis.set(shotKey(name, incident, level), shot));
      };
      await beforeOff({
        agent,
        number: level,
        blocks: null,
        keep: async () => void (await keep('unknown', false)),
      });
      const fault = this.#faultOf(host);
      this.#watcher.shot(host, fault);
      const device = level === 1 ? host.bmc : host.outlet;
      const tookMs = this.#random.between(200, 4_000);
      // It is on its way: whatever becomes of the worker meanwhile.
      if (device !== 'dead')
        process.timeline.after(tookMs, () => {
          this.#switch(host, fault);
        });
      await process.answer(
        device === 'works' ? tookMs + 100 : given !== null ? 3_000 : 20_000,
        () => undefined,
      );
      signal.throwIfAborted();
      const atMs = process.clock.nowMs();
      const isDone = device === 'works';
      await keep(isDone ? 'taken' : 'unknown', isDone);
      if (device === 'works')
        return { proven: true, proof: { by: 'agent', agent, level, atMs, output: 'off', failed: [] } };
      failures.push({ agent, failure: 'timed-out', detail: 'no answer' });
    }
    const failed = ['fence_ipmilan timeout: no answer'];
    const word = given ?? (await this.#wordFor(name, heardAtMs));
    if (word !== null) return { proven: true, proof: { by: 'operator', ...word, failed } };
    return { proven: false, failures };
  }

  /** The real rule, by what the device says now. */
  async #toldBefore(name: string, incident: string, level: number, given: Word | null) {
    const { redis } = this.#link;
    const last = await this.#link.call(() => redis.get<Shot>(shotKey(name, incident, level)) ?? null);
    if (last === null || (given !== null && given.atMs > last.atMs)) return 'tell' as const;
    const { says } = await this.#look(this.#world.host(name), level);
    if (says === 'off')
      await this.#link.call(() => redis.set(shotKey(name, incident, level), { ...last, seenOff: true }));
    return again(last, says, this.#process.clock.nowMs());
  }

  async #look(host: Host, level: number): Promise<PowerSeen> {
    const device = level === 1 ? host.bmc : host.outlet;
    await this.#process.answer(device === 'works' ? 500 : 3_000, () => undefined);
    if (device !== 'works') return { says: 'unknown', said: 'no answer' };
    const fault = this.#faultOf(host);
    const shown = fault?.kind === 'other' ? this.#world.host(fault.host) : host;
    return { says: shown.powered && fault?.kind !== 'nothing' ? 'on' : 'off', said: 'Status' };
  }

  #faultOf({ name, bmcFault }: Host): DeviceFault | null {
    const aim = this.#aims.get(name);
    return aim === undefined ? bmcFault : { kind: 'other', host: aim };
  }

  /** What the device truly does, whatever it says of it: with the fault that it had when it was told. */
  #switch(host: Host, fault: DeviceFault | null): void {
    const world = this.#world;
    if (fault?.kind === 'nothing')
      return world.tell(`the fencing device of ${host.name} says off, and it is on`);
    const hit = fault?.kind === 'other' ? world.host(fault.host) : host;
    const whose = hit === host ? 'its fencing device' : `the fencing device of ${host.name}`;
    if (powerOff(world, hit)) world.tell(`${hit.name} is powered off by ${whose}`);
    if (fault?.kind !== 'restores') return;
    world.after(fault.afterMs, () => {
      if (powerOn(world, hit)) world.tell(`${hit.name} has power again`);
    });
  }

  #wordFor(host: string, heardAtMs: number | null): Promise<Word | null> {
    return wordIn(this.#link, host, heardAtMs);
  }

  async lookAgain(name: string, proof: ProofByAgent, signal: AbortSignal): Promise<PowerSeen> {
    const seen = await this.#look(this.#world.host(name), proof.level);
    signal.throwIfAborted();
    return seen;
  }

  async kept(host: string, proof: { readonly by: string }): Promise<void> {
    if (proof.by === 'operator') await this.#link.call(() => this.#link.redis.delete(wordKey(host)));
  }
}
