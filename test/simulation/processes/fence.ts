// A worker's fencing devices: they truly power a host off, or fail in the ways that such devices do. What is decided on
// them is decided by the real code.
import { powerOff, powerOn } from '../../../simulator/world/host-power.ts';
import type { DeviceFault, Host } from '../../../simulator/world/model.ts';
import type { World } from '../../../simulator/world/world.ts';
import type { AskedLevel, Devices, DevicesCall, OffCall } from '../../../src/ns4/fencing/devices.ts';
import type { LevelResult } from '../../../src/ns4/fencing/level.ts';
import type { LevelOutline } from '../../../src/ns4/fencing/plan.ts';
import type { PowerSeen } from '../../../src/ns4/fencing/proof.ts';
import type { Random } from '../random.ts';
import type { Setting } from '../setting.ts';
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

const levelOf = (number: number): LevelOutline => ({
  ...{ number, isListener: false },
  devices: [{ agent: agents[number - 1] ?? '' }],
});

const byCeph: LevelOutline = { number: agents.length + 1, kind: 'ceph', devices: [] };

export class PretendDevices implements Devices {
  readonly #parts: Parts;
  readonly #onShot: (host: Host, fault: DeviceFault | null) => void;

  /** `aims`: hosts for which this worker's plan names the device of another one. `onShot`: one is about to be told. */
  constructor(parts: Parts, onShot: (host: Host, fault: DeviceFault | null) => void) {
    this.#parts = parts;
    this.#onShot = onShot;
  }

  async levelsOf(name: string): Promise<readonly LevelOutline[]> {
    const { levels, world } = this.#parts;
    const devices = (world.host(name).outlet === 'none' ? [1] : [1, 2]).map(levelOf);
    if (levels === 'devices') return devices;
    if (levels === 'ceph') return [byCeph];
    return levels === 'ceph first' ? [byCeph, ...devices] : [...devices, byCeph];
  }

  async powerOff(call: OffCall): Promise<LevelResult> {
    const { process, random, world } = this.#parts;
    const host = world.host(call.host);
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

  async listen(call: DevicesCall): Promise<LevelResult> {
    throw new Error(`nobody listens for ${call.host}`);
  }

  async look(
    name: string,
    { number }: AskedLevel,
    _timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly PowerSeen[]> {
    const { process, world } = this.#parts;
    const host = world.host(name);
    const device = this.#stateOf(host, number);
    await process.answer(device === 'works' ? 500 : 3_000, () => undefined);
    signal.throwIfAborted();
    if (device !== 'works') return [{ says: 'unknown', said: 'no answer' }];
    const fault = this.#faultOf(host);
    const shown = fault?.kind === 'other' ? world.host(fault.host) : host;
    return [{ says: shown.powered && fault?.kind !== 'nothing' ? 'on' : 'off', said: 'Status' }];
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
    if (fault?.kind !== 'restores') return;
    world.after(fault.afterMs, () => {
      if (powerOn(world, hit)) world.tell(`${hit.name} has power again`);
    });
  }
}
