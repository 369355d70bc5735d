// When the trouble is over, everything must come to its end: the truly dead are recovered if they may be, what was
// begun is ended, and whoever stays as he is has been named with the reason.

import { isCellDown } from '../../simulator/world/cells.ts';
import type { Host, Instance, Migration } from '../../simulator/world/model.ts';
import { guestAnswers } from '../../simulator/world/physics.ts';
import { surelyUnheardMs } from '../../simulator/world/reports.ts';
import type { BystanderWatch } from '../../src/ns4/fencing/bystanders.ts';
import type { Hosts } from '../../src/shared/documents/inventory.ts';
import { orderSchema } from '../../src/shared/documents/orders.ts';
import { hostScope, scopeKey } from '../../src/shared/documents/terms/scope.ts';
import type { History } from './history.ts';
import { isExternal, isWitness, outsideNetworks, outsideNetworksOf } from './judges/life.ts';
import { isCloudRefused, phaseOf, standingOf, underwayIn } from './judges/standing.ts';
import { isInRefusal } from './judges/verdicts.ts';
import { must } from './judges/violation.ts';
import { disksAllow, disksSpoke } from './liveness-on-ceph.ts';
import { bystandersKey } from './processes/fencing-parts.ts';

/** A dead host is recovered within so many monitor periods after the last trouble (and what one evacuation takes). */
const recoveryPeriods = 5;
/** What was begun before may have to wait for a lost worker's pauses and for requests nobody knows of. */
const endsWithinMs = 600_000;
/** Instances that do not come back are given up after so long: three, one after the other, by the slower method. */
const givenUpMs = 3 * 310_000;
const evacuationMs = 60_000;

export interface Demands {
  readonly untilMs: number;
  isMet(): boolean;
  judge(): void;
  recovered(): number;
}

/**
 * Hosts Sonny changed something about before calm came, or asked for it: how they end depends on what went wrong with
 * it. A request that Nova carries out late makes a host look handled that was given up meanwhile.
 */
export function settledBefore({ world, judges }: History): ReadonlySet<string> {
  const { forcedDown } = judges.deeds;
  return new Set([...world.hosts.values()].map((h) => h.name).filter((name) => forcedDown.has(name)));
}

export function demands(history: History, touched: ReadonlySet<string>): Demands {
  const { world, timeline, setting, judges } = history;
  const { rules } = setting;
  // What two at one cloud leave undone, each for the other's sake, nobody can say.
  const isAlone = history.rival === null;
  const dead = [...world.hosts.values()].filter(
    (host) => isAlone && !host.powered && !isCellDown(world, host) && guestsOf(history, host).length > 0,
  );
  const begun = judges.state === null ? 0 : underwayIn(judges.state).length;
  const due = dead.filter((host) => !touched.has(host.name) && isDue(history, host, dead, begun));
  const seats = [...history.workers, ...history.monitors];
  // Whoever stands still at the moment counts from when he goes on.
  const calmMs = timeline.nowMs + Math.max(0, ...seats.map((seat) => seat.process?.frozenMs ?? 60_000));
  const recoveredByMs = calmMs + recoveryPeriods * rules.monitorPeriodMs + evacuationMs;
  // What was begun goes on when Ceph is well again, and is told of meanwhile.
  const isWell = history.ceph?.isWell !== false;
  const canEnd = isAlone && isWell && dead.every((host) => othersLive(history, host));
  const isOver = () =>
    !canEnd ||
    (judges.state !== null && underwayIn(judges.state).length === 0 && openIncidents(history).length === 0);
  // A device that restores the power did so after calm came.
  const livesAgain = (host: Host) => host.powered;
  const isBack = (host: Host) => movableOf(history, host).length === 0;
  // Sometimes a round in peace at the end, in which nothing must happen either.
  const rests = dead.length > 0 && history.random.chance(0.25);
  const restMs = calmMs + (rests ? rules.monitorPeriodMs + 25_000 : 5_000);
  const recovered = () => {
    // Somebody set one after calm came, as after a pause of the machine.
    if (clocksDiffer(history)) return;
    for (const host of due) must(isBack(host), 'a dead host with a fitting spare is recovered', host.name);
  };
  return {
    untilMs: calmMs + endsWithinMs + givenUpMs,
    isMet: () => {
      if (timeline.nowMs > recoveredByMs) recovered();
      return (
        timeline.nowMs >= restMs &&
        due.every(isBack) &&
        isOver() &&
        dead.every((host) => isBack(host) || livesAgain(host) || isNamed(history, host))
      );
    },
    recovered: () => due.filter(isBack).length,
    judge: () => {
      recovered();
      must(isOver(), 'what was begun comes to its end', openIncidents(history).join(', '));
      for (const host of dead)
        if (!isBack(host) && !livesAgain(host))
          must(isNamed(history, host), 'whoever is not recovered is named with the reason', host.name);
    },
  };
}

const guestsOf = ({ world }: History, host: Host): Instance[] => world.instancesOn(host.name);

/** Those that Nova evacuates and may be asked for: nothing else is under way with them, and they ran. */
const movableOf = (history: History, host: Host): Instance[] =>
  guestsOf(history, host).filter(
    (g) =>
      g.vmState !== 'paused' &&
      !isLeftAlone(g) &&
      // Its disk would be made anew.
      history.ceph?.elsewhere.has(g) !== true &&
      // One in ERROR that never ran, or that runs on a target already without Nova's knowing.
      !(g.vmState === 'error' && (g.powerState !== 1 || g.runningOn.size > 0)),
  );

const isLeftAlone = ({ taskState, evacuationsStarted }: Instance): boolean =>
  taskState !== null && !(evacuationsStarted > 0 && taskState.startsWith('rebuild'));

/** One that was opened and never begun with is begun anew, or never. */
function openIncidents(history: History): string[] {
  const hosts = history.redis.keys('open:').map((key) => history.world.host(key.slice('open:'.length)));
  const { leftAloud, hands, deeds } = history.judges;
  // An end that Redis forgot in its last second leaves nothing to be done, or was told with the request to look. When
  // all was lost, and the monitor with it, or somebody began it
  // without the monitor, it is an operator who goes on: then it is enough that the host is named.
  const isForgotten = (host: Host) =>
    (hands.forgottenMs > Number.NEGATIVE_INFINITY && leftAloud.has(host.name)) ||
    ((history.hasForgotten || deeds.decidedByHand.has(host.name)) && isNamed(history, host));
  return hosts
    .filter((host) => host.forcedDown && !host.powered && movableOf(history, host).length > 0)
    .filter((host) => !isForgotten(host))
    .map((host) => host.name);
}

function isNamed({ judges, ceph }: History, { name }: Host): boolean {
  if (judges.leftAloud.has(name)) return true;
  if (ceph !== null && !ceph.isWell && judges.waitingForCeph.has(name)) return true;
  if (judges.state === null) return false;
  const standing = standingOf(judges.state);
  return standing.has(scopeKey(hostScope(name))) || isCloudRefused(standing) || isInRefusal(standing, name);
}

/** Another machine fell silent when it was shot: its devices count when an operator says so. */
const isInDoubt = ({ redis }: History, { name }: Host): boolean =>
  (redis.get<BystanderWatch>(bystandersKey(name))?.fell ?? null) !== null;

/** A device shows it off, or Ceph keeps it from every disk. */
function canBeProven(history: History, host: Host): boolean {
  const { ceph, setting } = history;
  if (isInDoubt(history, host)) return false;
  const levels = ceph === null ? 'devices' : setting.levels;
  if (levels !== 'ceph' && host.bmc === 'works') return true;
  return (
    levels !== 'devices' && guestsOf(history, host).every((guest) => ceph?.elsewhere.has(guest) === false)
  );
}

const offsetsOf = ({ workers, monitors }: History): number[] =>
  [...workers, ...monitors].map((seat) => seat.machine.offsetMs);

/** Then heartbeats look older to some than they are, and living hosts silent. */
function clocksDiffer(history: History): boolean {
  const offsets = offsetsOf(history);
  return Math.max(...offsets) - Math.min(...offsets) > 20_000;
}

/** Nothing in the rules speaks against its recovery. */
function isDue(history: History, host: Host, dead: readonly Host[], begun: number): boolean {
  const { world, setting, judges } = history;
  const { rules } = setting;
  if (history.workers.some(({ differs }) => Object.keys(differs).length > 0)) return false;
  if (rules.deadBackoff === 0 || dead.length + begun > rules.deadBackoff) return false;
  if (judges.state === null) return false;
  const offsets = offsetsOf(history);
  if (clocksDiffer(history)) return false;
  // Those whose heartbeats run out later come into the cooldown of the first.
  const together =
    dead.length === 1 ||
    (phaseOf(judges.state).kind === 'watching' &&
      dead.every((h) => surelyUnheardMs(world, h) > rules.heartbeatPeriodMs + 5_000));
  if (!together || begun > 0) return false;
  if (history.hasForgotten || judges.state.safeMode !== null || judges.state.unproven) return false;
  if (host.disabled && host.disabledReason?.startsWith('maintenance')) return false;
  if (judges.state.cooldown !== null || host.address === null) return false;
  // Nobody's ports are bound any more.
  if (world.stopped.has('northd') || world.stopped.has('southbound')) return false;
  // An order to recover another one that nobody obeyed yet begins the cooldown.
  if (recoveriesOrdered(history)) return false;
  // Who recovers another one by himself may take the spare, and has not begun yet.
  if ([...judges.deeds.decidedByHand].some((other) => other !== host.name)) return false;
  if (rules.fencing === 'required' && !canBeProven(history, host)) return false;
  const guests = guestsOf(history, host);
  const heard = (address: string, sinceMs = 0) =>
    history.workers.every(({ vantagePoint }) => vantagePoint.hasHeard(address, sinceMs));
  if (!heard(host.address)) return false;
  // A launch is told by the cloud's clock, which may have been set since; ns4 corrects it by what it is now.
  const skewMs = world.cloudNowMs - history.timeline.nowMs - Math.max(...offsets);
  const wasHeard = ({ addresses, launchedAtMs }: Instance) =>
    addresses.some(({ address }) => heard(address, (launchedAtMs ?? 0) - skewMs));
  // One that not every vantage point heard yet, as it was launched a moment ago, leaves them undecided.
  const wasHeardBySome = ({ addresses, launchedAtMs }: Instance) =>
    addresses.some(({ address }) =>
      history.workers.some(({ vantagePoint }) =>
        vantagePoint.hasHeard(address, (launchedAtMs ?? 0) - skewMs),
      ),
    );
  if (guests.some((g) => isWitness(g) && wasHeardBySome(g) && !wasHeard(g))) return false;
  const spoke =
    guests.some((g) => isWitness(g) && wasHeard(g)) || guests.some((g) => disksSpoke(history, host, g));
  if (!disksAllow(history, host)) return false;
  if (!spoke && (rules.fencing === 'none' || guests.some(isExternal))) return false;
  // One that boots in silence looks as dead as they do, and counts with them.
  if ([...world.hosts.values()].some((h) => h.powered && !Object.values(h.up).every((isUp) => isUp)))
    return false;
  // All left it right before it died: by the list of before they are there, and it counts as one more that dies.
  const hasLeft = ({ type, source }: Migration) =>
    type === 'live-migration' && source !== host.name && !world.host(source).powered;
  if (world.migrations.some(hasLeft)) return false;
  // A spare that died a moment ago still looks as if it lived, and may be the one that is chosen.
  const marked = [...world.hosts.values()].filter((spare) => spare.disabledReason === 'spare');
  if (marked.some((s) => !s.powered && surelyUnheardMs(world, s) <= rules.heartbeatPeriodMs + 20_000))
    return false;
  // Distinct spares for all of them: more than enough, so that the choice does not matter.
  const fitting = [...world.hosts.values()].filter((spare) => isFitting(history, host, spare));
  // Whose cell is another one nobody but Nova knows.
  if (fitting.some(({ cell }) => cell !== host.cell) || !isKnown(history, host)) return false;
  return fitting.length >= dead.length && othersLive(history, host) && !isOutage(history);
}

/** While a cell is away the hosts of the others are those that were listed before. */
const isKnown = ({ world, redis }: History, { name }: Host): boolean =>
  world.downCells.size === 0 ||
  (redis.get<Hosts>('hosts')?.hypervisors.some((hypervisor) => hypervisor.host === name) ?? false);

/** Does an order to recover lie in Redis, which its reader forgets only once he saved what came of it? */
const recoveriesOrdered = ({ redis }: History): boolean =>
  (redis.get<string[]>('orders') ?? []).some(
    (text) => orderSchema.parse(JSON.parse(text)).kind === 'recover',
  );

function isFitting({ world, judges }: History, host: Host, spare: Host): boolean {
  return (
    spare.powered &&
    !judges.verdicts.darkSpares.isDark(spare.name) &&
    !isCellDown(world, spare) &&
    spare.disabled &&
    spare.disabledReason === 'spare' &&
    spare.zone === host.zone &&
    spare.vcpus >= host.vcpus &&
    host.aggregates.every((name) => spare.aggregates.includes(name)) &&
    world.instancesOn(spare.name).length === 0
  );
}

/** Somebody with an address and living agents is there to be a control, and so is a guest where guests are controls. */
function othersLive({ world }: History, host: Host): boolean {
  const others = [...world.hosts.values()].filter(
    (other) => other !== host && other.powered && !isCellDown(world, other),
  );
  const external = world.instances.filter(
    (g) => g.vmState === 'active' && others.some((other) => other.name === g.host) && isExternal(g),
  );
  // Whoever is on the same network vouches, and all the others where nobody is.
  const groups = [
    external,
    ...outsideNetworks.map((n) => external.filter((g) => outsideNetworksOf(g).has(n))),
  ];
  const guestsAnswer = groups.every((all) => all.length === 0 || all.some((g) => guestAnswers(world, g)));
  const answering = others.filter((other) => other.address !== null && other.firewall === 'open');
  return answering.some((other) => other.zone === host.zone) && guestsAnswer;
}

/** So many dead are taken for a failure of the control plane. */
function isOutage({ world }: History): boolean {
  const silent = [...world.hosts.values()].filter((host) => !host.powered).length;
  return silent >= 3 && silent * 2 > world.hosts.size - 2;
}
