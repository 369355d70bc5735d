// From a seed to a history: a world, its rules, its weather and what goes wrong when. Each history leaves out most
// kinds of trouble, so that those it has come in numbers.
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import { type StrokeName, strokes } from './faults.ts';
import type { Focus } from './foci.ts';
import { History } from './history.ts';
import { isOnWith } from './not-yet.ts';
import { populate } from './populate.ts';
import { openPort } from './processes/vantage-point.ts';
import type { Random } from './random.ts';
import type { Difference } from './setting.ts';
import { fairWeather, type Weather } from './weather.ts';

export interface Plan {
  readonly history: History;
  /** Troubles end then, true time. */
  readonly calmMs: number;
}

const startMs = Date.parse('2026-11-21T12:00:00Z');
/** Who lives refuses a connection to it. */
export const nobodysPort = 2222;

/**
 * With a focus what it names is as it says; everything else is drawn as ever. `all`: with what the code cannot bear yet.
 */
export function generate(random: Random, focus: Focus | null = null, all = false): Plan {
  const weather: Weather = { ...fairWeather };
  const history = new History(
    {
      rules: { ...rulesOf(random), ...focus?.rules },
      weather,
      ...random.pick([
        { workers: 1, quorum: 1 },
        { workers: 2, quorum: 1 },
        { workers: 2, quorum: 1 },
        { workers: 2, quorum: 2 },
        { workers: 3, quorum: 2 },
      ]),
      monitors: random.pick([1, 1, 2]),
      method: random.chance(0.15) ? 'database' : 'api',
      concurrency: random.pick([1, 2, 8]),
      levels: random.pick(['devices', 'devices', 'ceph', 'ceph first', 'ceph last'] as const),
      startMs,
      ...focus?.setting,
    },
    random,
    isOnWith(all ? null : (focus?.awaits ?? [])),
  );
  history.redis.strict = random.chance(0.1);
  const household = { ...householdOf(history), ...focus?.household };
  settle(history, household);
  populate(history, focus?.spares ?? [0, 1, 1, 1, 1, 2, 2, 2], focus?.traits ?? {});
  const drawnMs = random.pick([65_000, 75_000, 90_000, 140_000]);
  const durationMs = focus?.durationMs ?? drawnMs;
  const firstMs = random.between(1_000, 12_000);
  history.timeline.after(firstMs, () => {
    if (focus !== null) {
      Object.assign(weather, focus.weather);
      return focus.disaster(history);
    }
    // Fair weather while the first picture is taken, so that most histories get far enough.
    if (random.chance(0.6)) Object.assign(weather, storm(random));
    strokes[random.pick(disasters.filter(history.isOn))](history);
  });
  const kinds = focus === null ? random.some(troubles.filter(history.isOn), 0.25) : [];
  const count = kinds.length === 0 ? 0 : random.between(0, 4);
  for (let i = 0; i < count; i += 1) {
    const kind = random.pick(kinds);
    history.timeline.after(random.between(firstMs, durationMs), () => strokes[kind](history));
  }
  return { history, calmMs: startMs + durationMs };
}

/** What most histories are about. */
const disasters: readonly StrokeName[] = [
  ...(['hostDies', 'hostDies', 'hostDies', 'hostHangs', 'twoDieTogether', 'cutOff'] as const),
  ...(['hostDiesAndComesBack', 'controlHangs', 'zoneCutOff', 'comesBackInPart', 'heardByOthers'] as const),
  ...(['powerReturns', 'controlLost', 'hostCrashes'] as const),
];
const troubles = Object.keys(strokes) as StrokeName[];

function rulesOf(random: Random): Rules {
  return {
    monitorPeriodMs: random.pick([30_000, 60_000]),
    heartbeatPeriodMs: 40_000,
    suspiciousBackoff: random.pick([5, 5, 2]),
    deadBackoff: random.pick([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0]),
    cooldownMs: random.pick([600_000, 86_400_000]),
    hypervisorPorts: [openPort],
    instancePorts: [openPort],
    fencing: random.pick(['none', 'required']),
    asksDisks: random.chance(0.15),
    disabledHosts: 'leave',
  };
}

/** What Sonny's own household is like. */
export interface Household {
  /** Its machines are virtual, and may be paused with their clocks. */
  readonly pausable: boolean;
  /** One ns4 is configured otherwise than the rest. */
  readonly differs: Difference | null;
  /** All workers but one have no way to the fence devices. */
  readonly isFar: boolean;
  /** A second Sonny, with a Redis of its own, watches the same cloud. */
  readonly rival: boolean;
}

function householdOf({ random, isOn }: History): Household {
  return {
    pausable: isOn('pausable') && random.chance(0.2),
    differs: isOn('differs') && random.chance(0.1) ? differenceOf(random) : null,
    isFar: isOn('fencesElsewhere') && random.chance(0.15),
    rival: isOn('rival') && random.chance(0.05),
  };
}

function differenceOf(random: Random): Difference {
  return random.pick<Difference>([
    { heartbeatPeriodMs: 20_000 },
    { heartbeatPeriodMs: 90_000 },
    { fencing: 'none' },
    { fencing: 'required' },
    { deadBackoff: 0 },
    { deadBackoff: 3 },
    { quorum: 1 },
    { quorum: 2 },
    { quorum: 3 },
    { refusedMeans: 'silent' },
    { hypervisorPorts: [nobodysPort], instancePorts: [nobodysPort] },
    { hypervisorPorts: [nobodysPort], refusedMeans: 'silent' },
    { instancePorts: [nobodysPort], refusedMeans: 'silent' },
  ]);
}

function settle(history: History, { pausable, differs, isFar, rival }: Household): void {
  const { workers, monitors, random, setting, isOn } = history;
  for (const { machine } of [...workers, ...monitors]) machine.isPausable = pausable;
  if (differs !== null) random.pick(workers).differs = differs;
  if (isFar) for (const worker of workers.slice(1)) worker.fences = false;
  if (!rival) return;
  history.rival = new History({ ...setting, monitors: 1, workers: 1, quorum: 1 }, random, isOn, history);
}

/** A few kinds of trouble with every call. */
function storm(random: Random): Partial<Weather> {
  const strengths: { readonly [K in keyof Weather]: readonly number[] } = {
    ...{ killAtRedis: [0.003, 0.01, 0.03], freezeAtRedis: [0.003, 0.01] },
    ...{
      redisFails: [0.01, 0.05],
      redisAnswerLost: [0.01, 0.05],
      redisSlow: [0.01, 0.1],
      rollsBackAfterSave: [0.03, 0.1],
    },
    ...{ readFails: [0.01, 0.1], readSlow: [0.05, 0.3] },
    ...{ changeFails: [0.1, 0.4], changeProxyPage: [0.1, 0.3], changeNotNow: [0.2], changeNotSent: [0.2] },
    ...{
      changeAnswerLost: [0.1, 0.4],
      changeLate: [0.1, 0.4],
      killAtChange: [0.1, 0.3],
      freezeAtChange: [0.1, 0.3],
    },
    ...{ jobsLost: [0.1], jobsFail: [0.1], jobsDoubled: [0.3], jobsSlow: [0.1, 0.3], hintsLost: [0.2, 1] },
    ...{
      rebuildFails: [0.1, 0.4],
      rebuildSticks: [0.1],
      ownTrouble: [0.1, 0.3],
      scanFails: [0.2],
      eyeBlinks: [0.1, 0.3],
    },
  };
  const kinds = random.some(Object.keys(strengths) as (keyof Weather)[], 0.12);
  return Object.fromEntries(kinds.map((kind) => [kind, random.pick(strengths[kind])]));
}
