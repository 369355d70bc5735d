// A worker's fencing devices: they truly power a host off, or fail in the ways that such devices do. What is decided on
// them is decided by the real code; where a level has two of them also what they show together.
import { cutFeed, powerOff, powerOn } from '../../../simulator/world/host-power.ts';
import type { DeviceFault, Host } from '../../../simulator/world/model.ts';
import type { World } from '../../../simulator/world/world.ts';
import type { AskedLevel, Devices, DevicesCall, OffCall } from '../../../src/ns4/fencing/devices.ts';
import { type LevelResult, lookByEach, powerOff as powerOffByEach } from '../../../src/ns4/fencing/level.ts';
import type { DeviceLevel, LevelOutline } from '../../../src/ns4/fencing/plan.ts';
import type { PowerSeen } from '../../../src/ns4/fencing/proof.ts';
import type { Random } from '../random.ts';
import type { Setting } from '../setting.ts';
import type { PretendAgent } from './pretend-agent.ts';
import type { Process } from './process.ts';

interface Parts {
  readonly world: World;
  readonly process: Process;
  readonly random: Random;
  readonly aims: ReadonlyMap<string, string>;
  readonly levels: Setting['levels'];
}

/** With a word of an operator nobody waits long; see fencing.ts. */
const patientMs = 20_000;
const agents = ['fence_ipmilan', 'fence_apc'] as const;
/** So often a message may come. */
const listenMs = 500;

/** The level of the outlets, of which some hosts have two. */
const outlets = 2;

const levelOf = ({ secondOutlet }: Host, number: number): LevelOutline => {
  const device = { agent: agents[number - 1] ?? '' };
  const hasTwo = number === outlets && secondOutlet !== 'none';
  return { number, isListener: false, devices: hasTwo ? [device, device] : [device] };
};

/** By the protocol. */
const exitCode = { done: 0, on: 0, off: 2 } as const;

/** Its number is no other level's; it is the first that is tried. */
const byKdump: LevelOutline = {
  ...{ number: agents.length + 2, isListener: true },
  devices: [{ agent: 'fence_kdump' }],
};

const byCeph: LevelOutline = { number: agents.length + 1, kind: 'ceph', devices: [] };

export class PretendDevices implements Devices {
  readonly #parts: Parts;
  readonly #onShot: (host: Host, fault: DeviceFault | null) => void;

  readonly #onListen: (host: Host) => void;

  /**
   * `aims`: hosts for which this worker's plan names the device of another one. `onShot`: one is about to be told;
   * `onListen`: its crash kernel is listened for from now on.
   */
  constructor(
    parts: Parts,
    onShot: (host: Host, fault: DeviceFault | null) => void,
    onListen: (host: Host) => void,
  ) {
    this.#parts = parts;
    this.#onShot = onShot;
    this.#onListen = onListen;
  }

  async levelsOf(name: string): Promise<readonly LevelOutline[]> {
    const { levels, world } = this.#parts;
    const host = world.host(name);
    const switches = (host.outlet === 'none' ? [1] : [1, outlets]).map((number) => levelOf(host, number));
    const devices = host.hasKdump ? [byKdump, ...switches] : switches;
    if (levels === 'devices') return devices;
    if (levels === 'ceph') return [byCeph];
    return levels === 'ceph first' ? [byCeph, ...devices] : [...devices, byCeph];
  }

  async powerOff(call: OffCall): Promise<LevelResult> {
    const { process, random, world } = this.#parts;
    const host = world.host(call.host);
    if (call.level.devices.length > 1) return this.#bothOff(host, call);
    await call.beforeTelling();
    const fault = this.#faultOf(host);
    this.#onShot(host, fault);
    const device = this.#stateOf(host, call.level.number);
    const tookMs = random.between(200, 4_000);
    // It is on its way: whatever becomes of the worker meanwhile.
    if (device !== 'dead')
      process.timeline.after(tookMs, () => {
        this.#switch(host, fault);
      });
    const waitMs = call.timeoutMs < patientMs ? 3_000 : patientMs;
    await process.answer(device === 'works' ? tookMs + 100 : waitMs, () => undefined);
    call.signal.throwIfAborted();
    const told = { device: 0, effect: 'taken', seenOff: true } as const;
    if (device === 'works') return { off: true, atMs: process.clock.nowMs(), output: 'off', told: [told] };
    const failure = { agent: agents[call.level.number - 1] ?? '', detail: 'no answer' };
    return {
      ...{ off: false, failure: { ...failure, failure: 'timed-out' } },
      told: [{ device: 0, effect: 'unknown', seenOff: false }],
    };
  }

  /** Whoever sends a message in the host's name is heard. */
  async listen({ host: name, timeoutMs, signal }: DevicesCall): Promise<LevelResult> {
    const { process, world } = this.#parts;
    const host = world.host(name);
    this.#onListen(host);
    for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += listenMs) {
      const isHeard = await process.answer(listenMs, () => world.nowMs < host.crashMessagesUntilMs);
      signal.throwIfAborted();
      if (isHeard) return { off: true, atMs: process.clock.nowMs(), output: 'message', told: [] };
    }
    const failure = { agent: 'fence_kdump', failure: 'no-message', detail: 'no message' } as const;
    return { off: false, failure, told: [] };
  }

  async look(
    name: string,
    { number, agent, devices }: AskedLevel,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly PowerSeen[]> {
    const { process, world } = this.#parts;
    const host = world.host(name);
    if (agent.includes(' + '))
      return lookByEach({ level: this.#bothOutlets(host), devices, timeoutMs, signal });
    const device = this.#stateOf(host, number);
    await process.answer(device === 'works' ? 500 : 3_000, () => undefined);
    signal.throwIfAborted();
    if (device !== 'works') return [{ says: 'unknown', said: 'no answer' }];
    const fault = this.#faultOf(host);
    const shown = fault?.kind === 'other' ? world.host(fault.host) : host;
    return [{ says: shown.powered && fault?.kind !== 'nothing' ? 'on' : 'off', said: 'Status' }];
  }

  /** By the real code for a level of several devices. */
  #bothOff(host: Host, { timeoutMs, signal, tell, beforeTelling }: OffCall): Promise<LevelResult> {
    const { process } = this.#parts;
    return powerOffByEach({
      ...{ level: this.#bothOutlets(host), timeoutMs, signal, clock: process.clock },
      ...(tell === undefined ? {} : { tell }),
      beforeTelling: async () => {
        await beforeTelling();
        this.#onShot(host, this.#faultOf(host));
      },
    });
  }

  #bothOutlets = (host: Host): DeviceLevel => ({
    number: outlets,
    devices: [this.#outletOf(host, 0), this.#outletOf(host, 1)],
  });

  #outletOf(host: Host, feed: 0 | 1): PretendAgent {
    const { process, random } = this.#parts;
    const state = feed === 0 ? host.outlet : host.secondOutlet;
    const ended = async (forMs: number, code: () => number, signal: AbortSignal) => {
      const found = await process.answer(forMs, code);
      signal.throwIfAborted();
      return { kind: 'ended', code: found, said: 'Status' } as const;
    };
    return {
      ...{ agent: agents[outlets - 1] ?? '', program: '', options: {} },
      run: async ({ action, timeoutMs, signal, beforeTelling }) => {
        await beforeTelling?.();
        if (state === 'dead') {
          await process.answer(timeoutMs, () => undefined);
          signal.throwIfAborted();
          return { kind: 'timed-out', said: 'no answer' };
        }
        if (action === 'status')
          return ended(500, () => (this.#shows(host, feed) ? exitCode.on : exitCode.off), signal);
        const fault = this.#faultOf(host);
        const tookMs = random.between(200, 4_000);
        process.timeline.after(tookMs, () => this.#cut(host, feed, fault));
        return ended(tookMs + 100, () => exitCode.done, signal);
      },
    };
  }

  #shows(host: Host, feed: 0 | 1): boolean {
    const fault = this.#faultOf(host);
    if (fault?.kind === 'nothing') return false;
    return fault?.kind === 'other' ? this.#parts.world.host(fault.host).powered : host.feeds[feed].on;
  }

  /** As #switch, for one of two outlets; those that are another host's are so together. */
  #cut(host: Host, feed: 0 | 1, fault: DeviceFault | null): void {
    const { world } = this.#parts;
    if (fault?.kind === 'nothing' || fault?.kind === 'other') {
      if (feed === 0) this.#switch(host, fault);
      return;
    }
    if (feed === 1 && host.secondOutlet === 'stuck') return world.tell(`an outlet of ${host.name} stays on`);
    if (cutFeed(world, host, feed)) world.tell(`${host.name} is powered off by its outlets`);
    if (host.feeds.every(({ on }) => !on)) this.#restores(host, fault);
  }

  #restores(host: Host, fault: DeviceFault | null): void {
    const { world } = this.#parts;
    if (fault?.kind !== 'restores') return;
    world.after(fault.afterMs, () => {
      if (powerOn(world, host)) world.tell(`${host.name} has power again`);
    });
  }

  #stateOf = (host: Host, level: number): Host['bmc'] | Host['outlet'] =>
    level === 1 ? host.bmc : host.outlet;

  #faultOf({ name, bmcFault }: Host): DeviceFault | null {
    const aim = this.#parts.aims.get(name);
    return aim === undefined ? bmcFault : { kind: 'other', host: aim };
  }

  /** What the device truly does, whatever it says of it: with the fault that it had when it was told. */
  #switch(host: Host, fault: DeviceFault | null): void {
    const { world } = this.#parts;
    if (fault?.kind === 'nothing')
      return world.tell(`the fencing device of ${host.name} says off, and it is on`);
    const hit = fault?.kind === 'other' ? world.host(fault.host) : host;
    const whose = hit === host ? 'its fencing device' : `the fencing device of ${host.name}`;
    if (powerOff(world, hit)) world.tell(`${hit.name} is powered off by ${whose}`);
    this.#restores(hit, fault);
  }
}
