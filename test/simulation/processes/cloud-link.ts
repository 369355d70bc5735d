// A worker's way to the pretend OpenStack: ns4's port `Cloud`, with lost answers, late changes and errors on the way.
import {
  type AgentRecord,
  type Aggregate,
  type Cloud,
  CloudError,
  type ComputeService,
  type ComputeServiceChange,
  type EvacuationMigration,
  type HypervisorRecord,
  type PortBinding,
} from '../../../src/ns4/cloud.ts';
import type { Server } from '../../../src/shared/documents/inventory.ts';
import type { Random } from '../random.ts';
import type { Weather } from '../weather.ts';
import { type Host, lastReport } from '../world/model.ts';
import type { Nova } from '../world/nova.ts';
import { never, type Process } from './process.ts';

/** After its own retries the client gives up on a read. */
const readGivenUpMs = 4_000;
const answerLostMs = 10_000;
const agentDownMs = 75_000;

export type Sent = 'evacuate' | 'force-down' | 'change';

export class CloudLink implements Cloud {
  readonly #nova: Nova;
  readonly #process: Process;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #line: { cut: boolean };
  /** Is told when a changing request leaves. */
  onSend: (what: Sent, id: string, target: string) => void = () => {};
  #skewMs = 0;

  constructor(nova: Nova, process: Process, random: Random, weather: Weather, line: { cut: boolean }) {
    this.#nova = nova;
    this.#process = process;
    this.#random = random;
    this.#weather = weather;
    this.#line = line;
  }

  clockSkewMs(): number {
    return this.#skewMs;
  }

  async listHypervisors(signal: AbortSignal): Promise<HypervisorRecord[]> {
    return this.#read(signal, () => this.#hosts().map((host) => this.#hypervisor(host)));
  }

  async listComputeServices(signal: AbortSignal, host?: string): Promise<ComputeService[]> {
    return this.#read(signal, () =>
      this.#hosts()
        .filter((h) => host === undefined || h.name === host)
        .map((h) => this.#service(h)),
    );
  }

  async listAgents(signal: AbortSignal, host?: string): Promise<AgentRecord[]> {
    const { nowMs } = this.#process.timeline;
    return this.#read(signal, () =>
      this.#hosts()
        .filter((h) => host === undefined || h.name === host)
        .flatMap((h) =>
          h.agents.map((agent) => ({
            host: h.name,
            binary: agent.binary,
            heartbeatAtMs: this.#nova.cloudTime(lastReport(agent, nowMs)),
            alive: nowMs - lastReport(agent, nowMs) < agentDownMs,
          })),
        ),
    );
  }

  async listAggregates(signal: AbortSignal): Promise<Aggregate[]> {
    return this.#read(signal, () => {
      const names = new Set(this.#hosts().flatMap((host) => host.aggregates));
      return [...names].map((name) => ({
        name,
        hosts: this.#hosts().flatMap((host) => (host.aggregates.includes(name) ? [host.name] : [])),
      }));
    });
  }

  async listProjects(): Promise<{ id: string; name: string }[]> {
    return [];
  }

  async listServers(signal: AbortSignal, host?: string): Promise<Server[]> {
    return this.#read(signal, () =>
      this.#nova.world.guests
        .filter((guest) => !guest.deleted && (host === undefined || guest.host === host))
        .map((guest) => this.#nova.serverOf(guest)),
    );
  }

  async readServer(id: string, signal: AbortSignal): Promise<Server | null> {
    return this.#read(signal, () => {
      const guest = this.#nova.world.guests.find((g) => g.id === id);
      return guest === undefined || guest.deleted ? null : this.#nova.serverOf(guest);
    });
  }

  async listEvacuations(sourceHost: string, signal: AbortSignal): Promise<EvacuationMigration[]> {
    return this.#read(signal, () =>
      this.#nova.migrations
        .filter((migration) => migration.source === sourceHost)
        .map(({ uuid, guest, status, source, target, createdAtMs }) => ({
          ...{ uuid, instanceId: guest.id, status, source, target, createdAtMs },
        })),
    );
  }

  async listPorts(
    filter: { host: string } | { instanceId: string },
    signal: AbortSignal,
  ): Promise<PortBinding[]> {
    return this.#read(signal, () =>
      this.#nova.world.guests
        .filter((g) => ('host' in filter ? g.portHost === filter.host : g.id === filter.instanceId))
        .map((g) => ({
          ...{ id: `port-${g.name}`, instanceId: g.id, host: g.portHost, status: 'ACTIVE' },
          vifType: g.portFailed ? 'binding_failed' : 'ovs',
        })),
    );
  }

  async changeComputeService(
    id: string,
    change: ComputeServiceChange,
    signal: AbortSignal,
  ): Promise<ComputeService> {
    const name = id.replace(/^service-/, '');
    await this.#change(signal, change.forcedDown ? 'force-down' : 'change', name, '', () =>
      this.#nova.changeService(name, change),
    );
    return this.#service(this.#nova.world.host(name));
  }

  async evacuate(instanceId: string, target: string | null, signal: AbortSignal): Promise<void> {
    if (target === null) throw new Error('the pretend Nova chooses no hosts');
    await this.#change(signal, 'evacuate', instanceId, target, () => this.#nova.evacuate(instanceId, target));
  }

  async hardReboot(instanceId: string, signal: AbortSignal): Promise<void> {
    const target = this.#nova.world.guests.find((g) => g.id === instanceId)?.host ?? '';
    await this.#change(signal, 'evacuate', instanceId, target, () => this.#nova.hardReboot(instanceId));
  }

  async bindPort(portId: string, host: string, signal: AbortSignal): Promise<void> {
    await this.#change(signal, 'change', portId, host, () => this.#nova.bindPort(portId, host));
  }

  async moveAllocation(): Promise<void> {}

  #hosts(): Host[] {
    return [...this.#nova.world.hosts.values()];
  }

  #hypervisor(host: Host): HypervisorRecord {
    const listed = this.#nova.world.guests.filter((g) => g.host === host.name && !g.deleted);
    if (host.compute.sinceMs !== null)
      host.shownRunning = listed.filter((g) => g.vmState === 'active').length;
    return {
      name: `${host.name}.example`,
      host: host.name,
      address: host.address,
      vcpus: host.vcpus,
      vcpusUsed: listed.reduce((sum, guest) => sum + guest.vcpus, 0),
      memoryMb: 64_000,
      memoryMbUsed: 1_024 * listed.length,
      runningVms: host.shownRunning,
    };
  }

  #service(host: Host): ComputeService {
    return {
      id: `service-${host.name}`,
      host: host.name,
      zone: host.zone,
      status: host.status,
      state: this.#nova.isUp(host) ? 'up' : 'down',
      disabledReason: host.disabledReason,
      forcedDown: host.forcedDown,
      reportedAtMs: this.#nova.cloudTime(lastReport(host.compute, this.#process.timeline.nowMs)),
    };
  }

  /** Most answers come at once: what takes time in an evacuation is not the reading. */
  async #read<T>(signal: AbortSignal, make: () => T): Promise<T> {
    const process = this.#process;
    if (signal.aborted) throw new CloudError('not-done', 'stopped', null);
    if (this.#nova.away || this.#line.cut || this.#random.chance(this.#weather.readFails)) {
      await process.answer(readGivenUpMs, () => undefined);
      throw new CloudError('not-done', 'Nova answered 500 again and again', 500);
    }
    const slow = this.#random.chance(this.#weather.readSlow);
    // An answer may be as old as the way it took.
    const result = make();
    if (slow) await process.answer(this.#random.between(100, 5_000), () => undefined);
    this.#skewMs = this.#nova.cloudTime(process.timeline.nowMs) - process.clock.nowMs();
    if (signal.aborted) throw new CloudError('not-done', 'stopped', null);
    return result;
  }

  async #change(
    signal: AbortSignal,
    what: Sent,
    id: string,
    target: string,
    apply: () => void,
  ): Promise<void> {
    const process = this.#process;
    const random = this.#random;
    const weather = this.#weather;
    if (signal.aborted) throw new CloudError('not-done', 'stopped before it was sent', null);
    if (this.#nova.away || this.#line.cut || random.chance(weather.changeNotSent))
      throw new CloudError('not-done', 'no connection', null);
    if (random.chance(weather.killAtChange)) {
      if (random.chance(0.5)) this.#late(what, id, target, 0, apply);
      process.kill();
      return never();
    }
    if (random.chance(weather.freezeAtChange)) {
      // What was written to the socket leaves; whoever wrote it stands still.
      this.#late(what, id, target, 0, apply);
      process.freeze(random.pick([3_000, 10_000, 30_000]));
      await process.answer(0, () => undefined);
      throw new CloudError('unknown', 'no answer within 30 s', null);
    }
    if (random.chance(weather.changeNotNow))
      throw new CloudError('refused', 'Too many requests', random.pick([401, 429]));
    if (random.chance(weather.changeFails)) {
      await process.answer(200, () => undefined);
      throw new CloudError('unknown', 'Nova answered 500', 500);
    }
    const lost = random.chance(weather.changeAnswerLost);
    const late = random.chance(weather.changeLate);
    if (lost || late) {
      this.#late(what, id, target, late ? random.between(1_000, 100_000) : 20, apply);
      await process.answer(answerLostMs, () => undefined);
      throw new CloudError('unknown', 'no answer within 30 s', null);
    }
    let failure: unknown = null;
    this.onSend(what, id, target);
    // It is on its way: whatever becomes of its sender, it arrives.
    process.timeline.after(20, () => {
      try {
        apply();
      } catch (error) {
        failure = error;
      }
    });
    await process.answer(40, () => undefined);
    if (failure !== null) throw failure;
  }

  #late(what: Sent, id: string, target: string, delayMs: number, apply: () => void): void {
    this.onSend(what, id, target);
    this.#process.timeline.after(delayMs, () => {
      try {
        apply();
      } catch (error) {
        if (!(error instanceof CloudError)) this.#process.timeline.fail(error);
      }
    });
  }
}
