// From a seed to a history: a world, its rules, its weather and what goes wrong when. Each history leaves out most
// kinds of trouble, so that those it has come in numbers.
import type { Address } from '../../simulator/world/model.ts';
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import { type StrokeName, strokes } from './faults.ts';
import type { Focus } from './foci.ts';
import { History } from './history.ts';
import type { Random } from './random.ts';
import { fairWeather, type Weather } from './weather.ts';

export interface Plan {
  readonly history: History;
  /** Troubles end then, true time. */
  readonly calmMs: number;
}

const startMs = Date.parse('2026-11-21T12:00:00Z');

/** With a focus what it names is as it says; everything else is drawn as ever. */
export function generate(random: Random, focus: Focus | null = null): Plan {
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
      startMs,
      ...focus?.setting,
    },
    random,
  );
  history.redis.strict = random.chance(0.1);
  populate(history, focus?.spares ?? [0, 1, 1, 1, 1, 2, 2, 2]);
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
    random.pick(disasters)(history);
  });
  const kinds = focus === null ? random.some(troubles, 0.25) : [];
  const count = kinds.length === 0 ? 0 : random.between(0, 4);
  for (let i = 0; i < count; i += 1) {
    const kind = random.pick(kinds);
    history.timeline.after(random.between(firstMs, durationMs), () => strokes[kind](history));
  }
  return { history, calmMs: startMs + durationMs };
}

/** What most histories are about. */
const disasters = [
  ...[strokes.hostDies, strokes.hostDies, strokes.hostDies, strokes.hostHangs, strokes.twoDieTogether],
  ...[strokes.cutOff, strokes.hostDiesAndComesBack, strokes.controlHangs, strokes.zoneCutOff],
  strokes.comesBackInPart,
  strokes.heardByOthers,
];
const troubles = Object.keys(strokes) as StrokeName[];

function rulesOf(random: Random): Rules {
  return {
    monitorPeriodMs: random.pick([30_000, 60_000]),
    heartbeatPeriodMs: 40_000,
    suspiciousBackoff: random.pick([5, 5, 2]),
    deadBackoff: random.pick([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0]),
    cooldownMs: random.pick([600_000, 86_400_000]),
    hypervisorPorts: [22],
    instancePorts: [22],
    fencing: random.pick(['none', 'required']),
    disabledHosts: 'leave',
  };
}

function populate({ world, random }: History, sparesDrawn: readonly number[]): void {
  const count = random.pick([3, 3, 3, 4, 5]);
  const spares = random.pick(sparesDrawn);
  const zones = random.chance(0.2) ? ['az1', 'az2'] : ['az1'];
  const reportMs = random.pick([10_000, 10_000, 10_000, 30_000]);
  const outlets = random.chance(0.4);
  const witnessed = random.pick([0.85, 0.85, 0.85, 0.3]);
  const bmc = random.pick(['works', 'works', 'works', 'works', 'works', 'dead', 'deaf'] as const);
  for (let i = 1; i <= count + spares; i += 1) {
    const isSpare = i > count;
    const name = isSpare ? `spare${i - count}` : `hv${i}`;
    const agents = ['neutron-openvswitch-agent', ...(random.chance(0.2) ? ['neutron-dhcp-agent'] : [])];
    world.addPlainHost(
      {
        ...{ name, zone: zones[i % zones.length] ?? 'az1', vcpus: isSpare && random.chance(0.1) ? 4 : 16 },
        address: random.chance(0.03) ? null : `10.0.0.${i}`,
        aggregates: random.chance(0.1) ? ['ssd'] : [],
      },
      agents,
      reportMs,
      isSpare,
    );
    if (random.chance(0.5)) world.host(name).bmc = bmc;
    if (outlets) world.host(name).outlet = random.pick(['works', 'works', 'dead']);
    if (!isSpare)
      for (let g = 1; g <= random.pick([1, 1, 2, 2, 3]); g += 1) addGuest(world, random, name, g, witnessed);
  }
}

function addGuest(
  world: History['world'],
  random: Random,
  host: string,
  number: number,
  witnessed: number,
): void {
  const name = `${host}-vm${number}`;
  const external: Address = {
    network: random.chance(0.9) ? 'ext-net' : 'private',
    address: `203.0.113.${world.instances.length + 1}`,
    ...{ version: 4, type: random.chance(0.2) ? 'floating' : 'fixed' },
  };
  world.addInstance({
    ...{ name, host, mute: random.chance(0.1) },
    addresses: random.chance(witnessed) ? [external] : [],
    vmState: random.chance(0.85) ? 'active' : random.pick(['stopped', 'stopped', 'paused', 'error']),
  });
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
