// The pretend Nova and Neutron: what they show of the world (often wrong), and what they make of a request. Evacuation
// is as the real ones do it: the source is looked at only when the request comes in, a second request for an instance
// that is being rebuilt is taken as well and wrecks it.
import { CloudError, type ComputeServiceChange } from '../../../src/ns4/cloud.ts';
import type { InstanceMove, MoveResult } from '../../../src/ns4/nova-database/nova-database.ts';
import type { Server } from '../../../src/shared/documents/inventory.ts';
import type { Random } from '../random.ts';
import type { Weather } from '../weather.ts';
import { type Guest, type Host, lastReport, type Migration } from './model.ts';
import type { World } from './world.ts';

/** Nova's service_down_time. */
const novaDownMs = 60_000;
/** From the first answer of a machine to the start of its nova-compute. */
const bootMs = 60_000;
const evacuable: ReadonlySet<Guest['vmState']> = new Set(['active', 'stopped', 'error']);
const statusOf = {
  ...{ active: 'ACTIVE', stopped: 'SHUTOFF', paused: 'PAUSED', error: 'ERROR' },
  shelved_offloaded: 'SHELVED_OFFLOADED',
} as const;

/** What the judges of a history are told. */
export interface NovaWitness {
  /** Nova took an evacuation. `second`: another one of the same instance was under way. */
  evacuationTaken(guest: Guest, target: string, second: boolean): void;
  /** A guest starts on a host while copies of it exist on others. */
  secondWriter(guest: Guest, target: string, others: readonly string[]): void;
}

export class Nova {
  /** The last boot of each host. */
  readonly #boots = new WeakMap<Host, object>();
  readonly world: World;
  readonly migrations: Migration[] = [];
  /** Keystone, or all of it, does not answer. */
  away = false;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #witness: NovaWitness;
  readonly #rebuildMs: number;
  /** Does it leave the instances of a lost target as they are? */
  sticks = true;
  readonly #stuck: Migration[] = [];
  /** Counts what happened, for those who need not look again when nothing did. */
  version = 0;

  constructor(world: World, random: Random, weather: Weather, witness: NovaWitness, rebuildMs = 4_000) {
    this.world = world;
    this.#random = random;
    this.#weather = weather;
    this.#witness = witness;
    this.#rebuildMs = rebuildMs;
  }

  get #nowMs(): number {
    return this.world.timeline.nowMs;
  }

  /** True time by the cloud's clock, in whole seconds as the APIs tell it. */
  cloudTime(trueMs: number): number {
    return Math.floor((trueMs + this.world.cloudOffsetMs) / 1_000) * 1_000;
  }

  isUp(host: Host): boolean {
    return !host.forcedDown && this.#nowMs - lastReport(host.compute, this.#nowMs) <= novaDownMs;
  }

  serverOf(guest: Guest): Server {
    const powerState = guest.vmState === 'active' ? 1 : guest.vmState === 'paused' ? 3 : 4;
    return {
      id: guest.id,
      name: guest.name,
      projectId: 'project',
      locked: false,
      powerState,
      host: guest.vmState === 'shelved_offloaded' ? null : guest.host,
      hypervisorName: `${guest.host}.example`,
      status: guest.taskState?.startsWith('rebuild') ? 'REBUILD' : statusOf[guest.vmState],
      vmState: guest.vmState,
      taskState: guest.taskState,
      fault: guest.fault,
      flavor: 'small',
      vcpus: guest.vcpus,
      memoryMb: 1_024,
      zone: null,
      createdAt: '',
      addresses: [...guest.addresses],
    };
  }

  changeService(name: string, change: ComputeServiceChange): void {
    const host = this.world.host(name);
    if (change.forcedDown !== undefined) host.forcedDown = change.forcedDown;
    if (change.status !== undefined) host.status = change.status;
    if (change.status === 'enabled') host.disabledReason = null;
    if (change.disabledReason !== undefined) host.disabledReason = change.disabledReason;
  }

  /** Takes the request or throws Nova's refusal; the rest happens later. */
  evacuate(id: string, target: string): void {
    const { world } = this;
    const guest = world.guests.find((g) => g.id === id && !g.deleted);
    if (guest === undefined) throw new CloudError('refused', `Instance ${id} could not be found.`, 404);
    const source = guest.host;
    if (target === source) throw new CloudError('refused', "The target host can't be the same one.", 400);
    if (!evacuable.has(guest.vmState))
      throw new CloudError('refused', `Cannot 'evacuate' while it is in vm_state ${guest.vmState}`, 409);
    if (this.isUp(world.host(source)))
      throw new CloudError('refused', `Compute service of ${source} is still in use.`, 400);
    const second = guest.taskState !== null;
    this.#witness.evacuationTaken(guest, target, second);
    const migration: Migration = {
      ...{ uuid: `migration-${this.migrations.length + 1}`, guest, source, target },
      ...{ createdAtMs: this.cloudTime(this.#nowMs), status: 'accepted' },
    };
    this.migrations.unshift(migration);
    guest.taskState = 'rebuilding';
    world.timeline.after(300, () => this.#schedule(migration));
  }

  #schedule(migration: Migration): void {
    const { world } = this;
    const { guest } = migration;
    // Without RabbitMQ the request waits in nova-api, and is carried out however late.
    if (world.rabbitDown) return void world.timeline.after(2_000, () => this.#schedule(migration));
    const target = world.host(migration.target);
    if (target.status === 'disabled') return this.#giveUp(migration, 'error', 'No valid host was found. ');
    if (!this.isUp(target))
      return this.#giveUp(
        migration,
        'error',
        'No valid host was found. There are not enough hosts available.',
      );
    migration.status = 'pre-migrating';
    const random = this.#random;
    const trouble =
      guest.troubles.shift() ??
      (random.chance(this.#weather.rebuildFails)
        ? 'fails'
        : random.chance(this.#weather.rebuildSticks)
          ? 'sticks'
          : null);
    if (trouble === 'sticks') {
      this.#stuck.push(migration);
      return world.tell(`Nova sticks in the rebuild of ${guest.name}`);
    }
    const rebuildMs = random.between(this.#rebuildMs / 4, this.#rebuildMs);
    world.timeline.after(rebuildMs, () => {
      if (!target.powered && !this.sticks) return this.#giveUp(migration, 'error', 'its host is lost');
      if (!target.powered || target.frozen) {
        this.#stuck.push(migration);
        return world.tell(`${target.name} is lost with ${guest.name} half-way`);
      }
      if (trouble === 'fails') return this.#giveUp(migration, 'failed', 'Build of instance was aborted');
      this.#arrive(migration, target);
    });
  }

  /** Somebody restarts what hangs: rebuilds that stick go on, or end in ERROR when their target is gone. */
  unstick(): void {
    this.sticks = false;
    for (const migration of this.#stuck.splice(0)) {
      const target = this.world.host(migration.target);
      if (target.powered) this.#arrive(migration, target);
      else this.#giveUp(migration, 'error', 'its host is lost');
    }
  }

  #giveUp(migration: Migration, status: 'error' | 'failed', fault: string): void {
    this.version += 1;
    migration.status = status;
    Object.assign(migration.guest, { vmState: 'error', taskState: null, fault });
    this.world.tell(`Nova gives up on ${migration.guest.name}: ${fault.trim()}`);
  }

  /** For a moment the instance reads ACTIVE with its old host. */
  #arrive(migration: Migration, target: Host): void {
    const { guest } = migration;
    if (guest.deleted) return;
    this.version += 1;
    const stopped = guest.vmState === 'stopped';
    if (!stopped) this.start(guest, target.name);
    guest.vmState = stopped ? 'stopped' : 'active';
    guest.taskState = null;
    guest.portHost = target.name;
    guest.portFailed = target.agents.every((agent) => agent.sinceMs === null);
    this.world.timeline.after(70, () => {
      guest.host = target.name;
      guest.fault = null;
      migration.status = 'done';
      this.version += 1;
    });
  }

  /** A process of the guest begins on a host. Whatever still exists elsewhere makes two writers. */
  start(guest: Guest, name: string): void {
    const others = this.world.writers(guest).filter((other) => other !== name);
    if (others.length > 0) {
      this.world.tell(
        `TWO WRITERS: ${guest.name} starts on ${name} and still exists on ${others.join(', ')}`,
      );
      this.#witness.secondWriter(guest, name, others);
    }
    guest.runsOn.add(name);
    this.world.tell(`${guest.name} runs on ${name}`);
  }

  /** Of the database method: Nova starts the instance wherever its row says it is. */
  hardReboot(id: string): void {
    const guest = this.world.guests.find((g) => g.id === id && !g.deleted);
    if (guest === undefined) throw new CloudError('refused', `Instance ${id} could not be found.`, 404);
    this.#witness.evacuationTaken(guest, guest.host, false);
    guest.taskState = 'reboot_started_hard';
    this.world.timeline.after(1_000, () => {
      guest.taskState = null;
      if (!this.world.host(guest.host).powered) return;
      this.start(guest, guest.host);
      guest.vmState = 'active';
    });
  }

  bindPort(portId: string, host: string): void {
    const guest = this.world.guests.find((g) => `port-${g.name}` === portId);
    if (guest === undefined) throw new CloudError('refused', `Port ${portId} could not be found.`, 404);
    guest.portHost = host;
    guest.portFailed = this.world.host(host).agents.every((agent) => agent.sinceMs === null);
  }

  /** The rows of the instances rewritten behind Nova's back, on condition. */
  moveRows(move: InstanceMove): MoveResult {
    const result: MoveResult = { moved: [], already: [], elsewhere: [] };
    for (const id of move.ids) {
      const guest = this.world.guests.find((g) => g.id === id && !g.deleted);
      if (guest === undefined) continue;
      if (guest.host === move.to.host) result.already.push(id);
      else if (guest.host !== move.from.host) result.elsewhere.push({ id, host: guest.host });
      else {
        guest.movedFrom = guest.host;
        guest.host = move.to.host;
        result.moved.push(id);
      }
    }
    return result;
  }

  /**
   * What a nova-compute does when its host is back: ends what is taken away from it, and starts again what was running
   * (resume_guests_state_on_host_boot). The machine answers long before.
   */
  bootLater(host: Host): void {
    const boot = {};
    this.#boots.set(host, boot);
    this.world.timeline.after(bootMs, () => {
      // Switched off and on again meanwhile, it is in the middle of another boot.
      if (!host.powered || host.frozen || this.#boots.get(host) !== boot) return;
      const gone: Migration['status'][] = ['accepted', 'pre-migrating', 'done'];
      for (const { guest, source, status } of this.migrations)
        if (source === host.name && gone.includes(status)) guest.runsOn.delete(source);
      for (const guest of this.world.guests)
        if (
          guest.host === host.name &&
          guest.vmState === 'active' &&
          guest.taskState === null &&
          !guest.deleted
        )
          if (!guest.runsOn.has(host.name)) this.start(guest, host.name);
    });
  }
}
