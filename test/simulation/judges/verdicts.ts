// Judges each recovery at the moment it begins: were host, guests and heartbeats silent in this very round, to vantage
// points that answering controls prove open? By what the pretend vantage points truly saw, without a look at the core's
// own rules.

import type { Host, Reporter } from '../../../simulator/world/model.ts';
import { hostSends } from '../../../simulator/world/physics.ts';
import { lastReport } from '../../../simulator/world/reports.ts';
import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import type { HostsPhase, State } from '../../../src/monitor/core/state/state.ts';
import { externalAddresses, isMarkedSpare, type Server } from '../../../src/shared/documents/inventory.ts';
import { hostScope, scopeKey } from '../../../src/shared/documents/terms/scope.ts';
import { disksName } from '../../../src/shared/rules/disks.ts';
import type { IsOn } from '../not-yet.ts';
import type { SeenScan } from '../processes/vantage-point.ts';
import type { World } from '../world/world.ts';
import { DarkSpares } from './dark-spares.ts';
import type { Disks } from './disks.ts';
import { beginRead, type Inventory, type Read } from './reads.ts';
import { phaseOf, type Standing, standingOf, type Underway, underwayIn } from './standing.ts';
import { must, Violation } from './violation.ts';

/** A phase the monitor left, in the round that is under way. */
export interface Passed {
  readonly kind: HostsPhase['kind'];
  readonly jobId: string;
  /** True time. */
  readonly sinceMs: number;
}

/** Does Nova believe that it runs, with nothing under way? */
const runs = ({ vmState, powerState, taskState }: Server): boolean =>
  ['active', 'rescued', 'resized'].includes(vmState) && powerState === 1 && taskState === null;
/** Nova has it somewhere, and it may be elsewhere: nobody knows whose answer it would be. */
const isMoving = ({ taskState }: Server): boolean => /^(migrating|rebuil|resize_)/.test(taskState ?? '');
const freshMs = 60_000;
const vouchedByNetwork = 'somebody else on the network of each witness answered';

/** Ids of the networks that an instance can be asked on. */
const networksOf = (server: Server): ReadonlySet<string> =>
  new Set(externalAddresses(server).flatMap(({ networkId }) => networkId ?? []));

export class Verdicts {
  readonly #world: World;
  readonly #rules: Rules;
  readonly #quorum: number;
  readonly #isOn: IsOn;
  /** Null: they are not on Ceph. */
  disks: Disks | null = null;
  readonly darkSpares: DarkSpares;
  /** What each vantage point saw, by job. */
  readonly #scans = new Map<string, readonly SeenScan[]>();
  readonly #reads = new Map<string, Read>();
  /** The newest one with instances, for whatever it was read: all judge by what is stored. */
  #newest: Read | null = null;
  /** Hosts of cells that did not answer the last refresh. */
  hidden: ReadonlySet<string> = new Set();
  /** How far the clocks of the machines are apart, at most. */
  clockSpreadMs: () => number = () => 0;
  /** Did this address ever answer a vantage point? */
  everHeard: (address: string) => boolean = () => true;

  constructor(world: World, rules: Rules, quorum: number, isOn: IsOn) {
    this.#isOn = isOn;
    this.#world = world;
    this.darkSpares = new DarkSpares(world);
    this.#rules = rules;
    this.#quorum = quorum;
  }

  scanned(jobId: string, seen: readonly SeenScan[]): void {
    this.#scans.set(jobId, seen);
  }

  /** What a refresh reads from now on; to be called with what it made of it. */
  reading(jobId: string | null): (inventory: Inventory) => void {
    const begun = beginRead(this.#world);
    return (inventory) => {
      const read = begun(inventory);
      if (jobId !== null) this.#reads.set(jobId, read);
      this.hidden = read.hidden;
      if (inventory.servers !== null && read.atMs >= (this.#newest?.atMs ?? 0)) this.#newest = read;
    };
  }

  /** The phases of the round, with the one that `after` left. */
  trail(trail: readonly Passed[], before: State | null, after: State): readonly Passed[] {
    const [left, entered] = [before === null ? null : phaseOf(before), phaseOf(after)];
    if (left === null || left.kind === 'watching') return entered.kind === 'watching' ? trail : [];
    const { kind, job } = left;
    if (entered.kind !== 'watching' && entered.job.id === job.id) return trail;
    return [...trail, { kind, jobId: job.id, sinceMs: this.#world.timeline.nowMs }];
  }

  /** Throws unless everything spoke for the death of this host, and its spare is one. */
  prove({ dead, spare }: Underway, before: State, trail: readonly Passed[]): void {
    const find = (kind: Passed['kind']) => trail.findLast((passed) => passed.kind === kind);
    const kinds = ['scanning-hosts', 'reading-servers', 'scanning-guests'] as const;
    const [hosts, servers, guests] = kinds.map(find);
    if (!hosts || !servers || !guests || phaseOf(before).kind !== 'scanning-guests')
      throw new Violation(
        'nothing begins without a whole round',
        `${dead}: ${trail.map((p) => p.kind).join()}`,
      );
    const hostScans = this.#scans.get(hosts.jobId) ?? [];
    must(hostScans.some(isSighted), 'controls answered the host scan', dead);
    this.#nobodyHeard(hostScans, dead, 'the host was silent');
    // Of a host that never answered only its guests can tell.
    const { address } = this.#world.host(dead);
    const spoke = !neverSpoke(hostScans, dead);
    if (spoke) must(this.#agree(hostScans, dead), 'the host was silent', dead);
    if (spoke) must(address !== null && this.everHeard(address), 'the host was heard before', dead);

    this.disks?.begins(dead, guests.jobId);
    const own = this.#reads.get(servers.jobId);
    const newest = this.#newest;
    const read = newest !== null && newest.atMs >= (own?.atMs ?? 0) ? newest : own;
    if (read === undefined) throw new Violation('the instances were read in this round', dead);
    const { nowMs } = this.#world.timeline;
    must(
      nowMs - read.atMs <= freshMs + 2_000 + this.clockSpreadMs(),
      'the instances were read just now',
      dead,
    );
    must(!read.hidden.has(dead), 'no host of a cell that is away is judged', dead);
    const toleranceMs = 3_000 + this.clockSpreadMs();
    const silentMs = read.silentMs.get(dead) ?? 0;
    // Where an agent can tell as well, nova-compute's report is good for half of it.
    const hasAgents = read.inventory.hosts?.agents.some(({ host }) => host === dead) === true;
    must(
      silentMs > this.#rules.heartbeatPeriodMs / (hasAgents ? 2 : 1) - toleranceMs,
      'heartbeats were silent',
      `${dead} for ${silentMs} ms`,
    );
    this.#guestsWereSilent(dead, read, this.#scans.get(guests.jobId) ?? [], spoke);
    this.#cloudWasHeard(dead, read);
    this.#partWasHeard(dead, read, this.#scans.get(guests.jobId) ?? []);
    this.#spareIsOne(dead, spare, read.inventory);
  }

  #guestsWereSilent(dead: string, { inventory }: Read, scans: readonly SeenScan[], hostSpoke: boolean): void {
    must(scans.some(isSighted), 'controls answered the guest scan', dead);
    const servers = inventory.servers?.servers ?? [];
    const external = servers.filter(
      (s) => s.host === dead && externalAddresses(s).length > 0 && !isMoving(s),
    );
    const wasHeard = (s: Server) => externalAddresses(s).some(({ address }) => this.everHeard(address));
    const witnesses = external.filter((s) => runs(s) && wasHeard(s) && !neverSpoke(scans, s.id));
    const testified = witnesses.length > 0;
    // With fencing the proof takes the place of witnesses, where the host's own silence means something.
    const isEnough = this.#rules.fencing === 'required' && hostSpoke;
    const bySilentDisks = this.disks !== null && this.#agree(scans, disksName(dead));
    must(isEnough || testified || bySilentDisks, 'a running witness testified', dead);
    this.#nobodyHeard(scans, disksName(dead), 'nothing begins while disks of the host answer');
    for (const { id } of external) this.#nobodyHeard(scans, id, 'every witness was silent');
    for (const { id, name } of witnesses)
      must(this.#agree(scans, id), 'every witness was silent', `${name} of ${dead}`);
    if (this.#isOn(vouchedByNetwork))
      for (const witness of witnesses) this.#isVouchedByItsNetworks(witness, servers, scans, dead);
    const isMuteControl = (target: string) => scans.every((scan) => scan.controls[target]?.neverHeard);
    const isControlGuest = (target: string) => servers.some((server) => server.id === target);
    const controls = new Set(scans.flatMap((scan) => Object.keys(scan.controls)));
    const areHeard = (isMeant: (target: string) => boolean) =>
      scans.filter((scan) =>
        Object.entries(scan.controls).some(([name, c]) => isMeant(name) && c.state === 'answers'),
      ).length >= this.#quorum;
    if (!testified)
      must(
        areHeard((name) => !isControlGuest(name)),
        'control hosts answered the guest scan',
        dead,
      );
    else if ([...controls].some((name) => isControlGuest(name) && !isMuteControl(name)))
      must(areHeard(isControlGuest), 'guests elsewhere answered', dead);
  }

  /** Those that found it silent heard somebody else on each of its networks, where somebody ever spoke there. */
  #isVouchedByItsNetworks(
    witness: Server,
    servers: readonly Server[],
    scans: readonly SeenScan[],
    dead: string,
  ): void {
    const controls = new Set(scans.flatMap((scan) => Object.keys(scan.controls)));
    const guests = servers.filter(
      ({ id }) => controls.has(id) && !scans.every((scan) => scan.controls[id]?.neverHeard),
    );
    const sets = [...networksOf(witness)]
      .map((network) => guests.filter((guest) => networksOf(guest).has(network)))
      .filter((on) => on.length > 0);
    const hears = (scan: SeenScan) =>
      sets.every((on) => on.some(({ id }) => scan.controls[id]?.state === 'answers'));
    const agreeing = scans.filter((scan) => hears(scan) && scan.targets[witness.id]?.state === 'silent');
    must(agreeing.length >= this.#quorum, vouchedByNetwork, `${witness.name} of ${dead}`);
  }

  /** So many vantage points that heard a control saw nothing of it. */
  #agree(scans: readonly SeenScan[], target: string): boolean {
    const agreeing = scans.filter((scan) => isSighted(scan) && scan.targets[target]?.state === 'silent');
    return agreeing.length >= this.#quorum;
  }

  /** Whatever any vantage point hears lives. */
  #nobodyHeard(scans: readonly SeenScan[], target: string, rule: string): void {
    must(
      !scans.some((scan) => scan.targets[target]?.state === 'answers'),
      rule,
      `${target} answered somebody`,
    );
  }

  /** When most of the cloud falls silent together it is the control plane that failed. */
  #cloudWasHeard(dead: string, { inventory, surelySilentMs: silentMs }: Read): void {
    const counted = (inventory.hosts?.hypervisors ?? []).filter(
      (h) => !h.forcedDown && !(h.state === 'down' && h.status === 'disabled'),
    );
    const isSilent = (host: string) =>
      (silentMs.get(host) ?? 0) > this.#rules.heartbeatPeriodMs + 3_000 + this.clockSpreadMs();
    const silent = counted.filter((h) => isSilent(h.host));
    must(
      silent.length < 3 || silent.length * 2 <= counted.length,
      'nothing begins when most of the cloud is silent',
      `${dead}: ${silent.map((h) => h.host).join(', ')}`,
    );
  }

  /** When a third of its zone falls silent together somebody of the living there has to answer. */
  #partWasHeard(
    dead: string,
    { inventory, surelySilentMs: silentMs }: Read,
    scans: readonly SeenScan[],
  ): void {
    const hosts = inventory.hosts?.hypervisors ?? [];
    const zone = hosts.find((h) => h.host === dead)?.zone;
    const counted = hosts.filter(
      (h) => h.zone === zone && !h.forcedDown && !(h.state === 'down' && h.status === 'disabled'),
    );
    const limitMs = this.#rules.heartbeatPeriodMs + 3_000 + this.clockSpreadMs();
    const silent = counted.filter((h) => (silentMs.get(h.host) ?? 0) > limitMs);
    if (silent.length < 2 || silent.length * 3 < counted.length) return;
    must(
      counted.some(
        (h) => !silent.includes(h) && scans.some((scan) => scan.controls[h.host]?.state === 'answers'),
      ),
      'in a part of the cloud that falls silent somebody has to answer',
      `${dead}: ${silent.map((h) => h.host).join(', ')} of ${zone}`,
    );
  }

  #spareIsOne(dead: string, spare: string, { hosts, servers }: Inventory): void {
    const chosen = hosts?.hypervisors.find((h) => h.host === spare);
    const host = hosts?.hypervisors.find((h) => h.host === dead);
    must(chosen !== undefined && isMarkedSpare(chosen), 'the spare is marked as one', spare);
    // What merely names a spare is none.
    if (this.#isOn('the spare was set aside as one'))
      must(/^spare/i.test(chosen?.disabledReason ?? ''), 'the spare was set aside as one', spare);
    must(chosen?.state === 'up', 'the spare works', spare);
    this.darkSpares.chosen(spare);
    must(!servers?.servers.some((s) => s.host === spare), 'the spare is empty', spare);
    must(chosen?.zone === host?.zone, 'the spare is in the same zone', `${dead} -> ${spare}`);
    must((chosen?.vcpus ?? 0) >= (host?.vcpus ?? 0), 'the spare is big enough', `${dead} -> ${spare}`);
    must(
      (host?.aggregates ?? []).every((name) => chosen?.aggregates.includes(name)),
      'the spare is in the same aggregates',
      `${dead} -> ${spare}`,
    );
  }

  /** Hosts that die together count together, however far apart their heartbeats run out. */
  othersDying(before: State, dead: readonly string[], trail: readonly Passed[], offsetMs: number): string[] {
    const phase = phaseOf(before);
    if (phase.kind !== 'scanning-guests') return [];
    // Who was a suspect of this round was judged by itself.
    const hosts = trail.findLast((passed) => passed.kind === 'scanning-hosts');
    const judged = this.#scans.get(hosts?.jobId ?? '')?.[0]?.targets ?? {};
    const servers = trail.findLast((passed) => passed.kind === 'reading-servers');
    const read = this.#reads.get(servers?.jobId ?? '')?.inventory.servers?.servers ?? [];
    const listed = new Set(read.map((server) => server.host));
    const { nowMs } = this.#world.timeline;
    const standing = standingOf(before);
    const recovering = underwayIn(before);
    const suspectedMs =
      Math.min(...dead.map((host) => standing.get(scopeKey(hostScope(host)))?.firstMs ?? nowMs)) - offsetMs;
    const scanMs = phase.sinceMs - offsetMs;
    return [...this.#world.hosts.values()]
      .filter(
        (host) =>
          !dead.includes(host.name) &&
          judged[host.name] === undefined &&
          !isInRefusal(standing, host.name) &&
          !recovering.some((r) => r.dead === host.name) &&
          !host.forcedDown &&
          // Of one that never answered nobody can tell that it does not.
          this.everHeard(host.address ?? '') &&
          host.answersSinceMs === null &&
          !saysNo(host) &&
          host.mutedSinceMs < scanMs - 2_000 &&
          host.compute.sinceMs === null &&
          reporters(host).every((r) => lastReport(r, nowMs) < suspectedMs - 2_000 - this.clockSpreadMs()) &&
          this.#world.instancesOn(host.name).some((g) => g.vmState === 'active') &&
          listed.has(host.name),
      )
      .map((host) => host.name);
  }
}

/** Is it one of a zone or an aggregate that is refused as a whole? */
export function isInRefusal(standing: ReadonlyMap<string, Standing>, host: string): boolean {
  return [...standing.values()].some(
    ({ refusal }) => refusal?.name === 'control-plane-suspect' && refusal.stale.includes(host),
  );
}

/** Its firewall lets nobody in and says so: an answer, too. */
const saysNo = (host: Host): boolean => hostSends(host) && host.firewall === 'prohibits';

/** Nobody ever got an answer of it that counts. */
const neverSpoke = (scans: readonly SeenScan[], target: string): boolean =>
  scans.length > 0 && scans.every((scan) => scan.targets[target]?.neverHeard);

const isSighted = (scan: SeenScan): boolean =>
  Object.values(scan.controls).some((finding) => finding.state === 'answers');

const reporters = ({ agents, compute }: Host): Reporter[] => [...agents, compute];
