// The pretend world with its true states: which machines have power, whose kernels run, which networks carry, which
// guests run and write where.
import type { Random } from '../random.ts';
import type { Timeline } from '../timeline.ts';
import { type Guest, type Host, lastReport, type Reporter } from './model.ts';

export type HostPart = Pick<Host, 'name' | 'address' | 'zone' | 'aggregates' | 'vcpus'>;

export class World {
  readonly timeline: Timeline;
  readonly hosts: Map<string, Host> = new Map();
  readonly guests: Guest[] = [];
  readonly byAddress: Map<string, Host | Guest> = new Map();
  rabbitDown = false;
  /** Cloud clock minus true time. */
  cloudOffsetMs = 0;
  /** Hears what truly happens. */
  tell: (text: string) => void = () => {};

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  addHost(random: Random, part: HostPart, agents: readonly string[], reportMs: number, spare: boolean): Host {
    const { nowMs } = this.timeline;
    const reporter = (binary: string, intervalMs: number): Reporter => ({
      ...{ binary, intervalMs, offsetMs: random.between(0, intervalMs - 1), broken: false },
      ...{ sinceMs: nowMs - 600_000, lastMs: nowMs - 600_000 },
    });
    const host: Host = {
      ...part,
      ...{ powered: true, frozen: false, controlHung: false, forcedDown: false },
      ...{ bmc: 'works', outlet: 'none' },
      cut: { reports: false, management: false, guests: false, storage: false },
      agents: agents.map((binary) => reporter(binary, reportMs)),
      compute: reporter('nova-compute', 10_000),
      status: spare ? 'disabled' : 'enabled',
      disabledReason: spare ? 'spare' : null,
      shownRunning: 0,
      answersSinceMs: nowMs,
      mutedSinceMs: nowMs,
      reportsSinceMs: nowMs,
    };
    this.hosts.set(host.name, host);
    if (host.address !== null) this.byAddress.set(host.address, host);
    return host;
  }

  addGuest(part: Pick<Guest, 'name' | 'addresses' | 'mute' | 'vmState' | 'host' | 'vcpus'>): Guest {
    const guest: Guest = {
      ...part,
      ...{ id: `id-${part.name}`, taskState: null, fault: null, movedFrom: null },
      ...{ portHost: part.host, portFailed: false },
      ...{ deleted: false, troubles: [], runsOn: new Set<string>() },
    };
    if (part.vmState === 'active' || part.vmState === 'paused') guest.runsOn.add(part.host);
    this.guests.push(guest);
    for (const { address } of part.addresses) this.byAddress.set(address, guest);
    const host = this.host(part.host);
    if (part.vmState === 'active') host.shownRunning += 1;
    return guest;
  }

  host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name} in this world`);
    return host;
  }

  guest(name: string): Guest {
    const guest = this.guests.find((g) => g.name === name);
    if (guest === undefined) throw new Error(`no guest ${name} in this world`);
    return guest;
  }

  /** Changes something about a host and lets what hangs on it follow. */
  change(host: Host, text: string, make: (host: Host) => void): void {
    make(host);
    this.tell(text);
    this.#settle(host);
  }

  changeRabbit(down: boolean): void {
    if (this.rabbitDown === down) return;
    this.rabbitDown = down;
    this.tell(down ? 'RabbitMQ is away: no report arrives from anywhere' : 'RabbitMQ is back');
    for (const host of this.hosts.values()) this.#settle(host);
  }

  #settle(host: Host): void {
    const { nowMs } = this.timeline;
    const canReport =
      host.powered && !host.frozen && !host.controlHung && !host.cut.reports && !this.rabbitDown;
    for (const reporter of [...host.agents, host.compute]) {
      const reports = canReport && !reporter.broken;
      if (reports === (reporter.sinceMs !== null)) continue;
      reporter.lastMs = lastReport(reporter, nowMs);
      // Whoever can report again does so at once.
      reporter.sinceMs = reports ? nowMs : null;
    }
    const answers = this.hostAnswers(host);
    if (answers !== (host.answersSinceMs !== null)) {
      host.answersSinceMs = answers ? nowMs : null;
      if (!answers) host.mutedSinceMs = nowMs;
    }
    const heard = host.agents.some((agent) => agent.sinceMs !== null);
    if (heard !== (host.reportsSinceMs !== null)) host.reportsSinceMs = heard ? nowMs : null;
  }

  hostAnswers(host: Host): boolean {
    return host.powered && !host.frozen && !host.cut.management;
  }

  guestAnswers(guest: Guest): boolean {
    if (guest.mute || guest.vmState === 'paused') return false;
    for (const name of guest.runsOn) {
      const host = this.host(name);
      if (host.powered && !host.frozen && !host.cut.guests) return true;
    }
    return false;
  }

  /** Does a copy of this guest on a host still exist, so that it writes now or would when the host goes on? */
  writers(guest: Guest): readonly string[] {
    return [...guest.runsOn].filter((name) => this.host(name).powered);
  }

  /** Its memory is gone and nothing of it will ever write again. */
  powerOff(host: Host, why = 'loses its power'): void {
    if (!host.powered) return;
    this.change(host, `${host.name} ${why}`, () => {
      host.powered = false;
      host.frozen = false;
      host.controlHung = false;
      for (const guest of this.guests) guest.runsOn.delete(host.name);
    });
  }

  powerOn(host: Host): void {
    if (host.powered) return;
    this.change(host, `${host.name} is powered on again`, () => {
      host.powered = true;
    });
  }

  /** Age of a host's youngest agent heartbeat, in truth. */
  silentMs(host: Host): number {
    const { nowMs } = this.timeline;
    return nowMs - Math.max(...host.agents.map((agent) => lastReport(agent, nowMs)));
  }
}
