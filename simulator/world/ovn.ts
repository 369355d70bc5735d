// OVN as Neutron's agents: no row beats by itself. Whoever lists agents pings all chassis, at most once in half of
// agent_down_time; they answer a moment later (docs/facts.md#ovn).
import { controlRuns } from './control-runs.ts';
import type { Chassis, Host, OvnEra } from './model.ts';
import type { World } from './world.ts';

export const ovnBinaries = ['ovn-controller', 'neutron-ovn-metadata-agent'] as const;

/** A chassis answers within this; metadata agents take longer (up to 30 s where time is that of a real cloud). */
const answersWithinMs = 900;
const metadataShare = 0.4;

/** The cloud's network is OVN's from now on; every host must have OVN's agents. */
export function useOvn(world: World, era: OvnEra): void {
  const chassis = new Map<string, Chassis>();
  world.ovn = { era, nbCfg: 1, pingedAtMs: world.nowMs - pingIntervalMs(world), chassis };
  for (const { name } of world.hosts.values()) chassis.set(name, newChassis(world));
}

/** One that has answered the last ping. */
function newChassis(world: World): Chassis {
  const beatMs = world.nowMs;
  return {
    ...{ nbCfg: world.ovn?.nbCfg ?? 1, beatMs, metadataBeatMs: beatMs, clockOffsetMs: 0, gone: 'no' },
  };
}

const pingIntervalMs = (world: World): number =>
  Math.max(1_000, Math.floor(world.settings.durations.agentDownMs / 2_000) * 1_000);

/** Somebody lists agents. The answer that he gets may show some of the new beats already. */
export function ping(world: World): void {
  const { ovn, nowMs } = world;
  if (ovn === null || nowMs - ovn.pingedAtMs < pingIntervalMs(world)) return;
  ovn.pingedAtMs = nowMs;
  ovn.nbCfg += 1;
  answerSoon(world);
}

/** The last ping gets to the chassis: at once, or when northd and the southbound database are there again. */
export function answerSoon(world: World): void {
  const { ovn, chance } = world;
  if (ovn === null) return;
  const { nbCfg } = ovn;
  for (const host of world.hosts.values()) {
    const lateMs = chance.between(0, 9) === 0 ? 0 : chance.between(50, answersWithinMs);
    if (lateMs === 0) answer(world, host, nbCfg);
    else world.after(lateMs, () => answer(world, host, nbCfg));
    const metadataMs = chance.between(0, Math.floor(world.settings.durations.agentDownMs * metadataShare));
    world.after(metadataMs, () => answerMetadata(world, host));
  }
}

/** Does Neutron get to see whatever it answers, as long as both go on as they are? */
export const isSeen = (world: World, host: Host): boolean =>
  world.ovn?.era === 'beat' && !world.stopped.has('neutron') && hears(world) && couldAnswer(world, host);

/** When it answered last, in truth; minus infinity: there is no OVN. */
export function answeredAtMs(world: World, { name }: Host): number {
  const chassis = world.ovn?.chassis.get(name);
  return chassis === undefined ? Number.NEGATIVE_INFINITY : chassis.beatMs - chassis.clockOffsetMs;
}

/** Do pings get from the northbound database to the chassis? RabbitMQ has no part in it. */
const hears = ({ stopped }: World): boolean => !stopped.has('northd') && !stopped.has('southbound');

/** Does its ovn-controller run, registered, with a network to the southbound database? */
const couldAnswer = (world: World, host: Host): boolean =>
  world.ovn?.chassis.get(host.name)?.gone === 'no' && controllerRuns(world, host);

function controllerRuns(world: World, host: Host): boolean {
  const controller = host.agents.find(({ binary }) => binary === 'ovn-controller');
  const isUp = controller?.broken === false && host.up.agents;
  return isUp && controlRuns(world, host, 'without-rabbitmq');
}

/** One that runs, and whose row was deleted, registers anew. */
export function register(world: World, host: Host): void {
  const gone = world.ovn?.chassis.get(host.name)?.gone ?? 'no';
  if (gone === 'no' || !controllerRuns(world, host)) return;
  const clockOffsetMs = world.ovn?.chassis.get(host.name)?.clockOffsetMs ?? 0;
  const beatMs = world.nowMs + clockOffsetMs;
  world.ovn?.chassis.set(host.name, { ...newChassis(world), clockOffsetMs, beatMs });
}

function answer(world: World, host: Host, nbCfg: number): void {
  const chassis = world.ovn?.chassis.get(host.name);
  if (chassis === undefined || !couldAnswer(world, host) || !hears(world)) return;
  chassis.nbCfg = Math.max(chassis.nbCfg, nbCfg);
  chassis.beatMs = world.nowMs + chassis.clockOffsetMs;
}

function answerMetadata(world: World, host: Host): void {
  const chassis = world.ovn?.chassis.get(host.name);
  if (chassis === undefined || !couldAnswer(world, host) || !hears(world)) return;
  chassis.metadataBeatMs = world.nowMs + chassis.clockOffsetMs;
}

/** ovn-controller ends in good order: its row is deleted, and Neutron shows what it remembers of it. */
export function stopController(world: World, host: Host): void {
  const chassis = world.ovn?.chassis.get(host.name);
  setController(host, true);
  if (chassis !== undefined && chassis.gone === 'no') chassis.gone = 'shown';
}

/** It starts again, and registers with the ping of now. */
export function startController(world: World, host: Host): void {
  setController(host, false);
  register(world, host);
}

/** Its process hangs or ends without a word, or works again. */
export function setController({ agents }: Host, broken: boolean): void {
  for (const agent of agents) if (agent.binary === 'ovn-controller') agent.broken = broken;
}

/** Neutron starts anew, and remembers no row that was deleted. */
export function forgetDeleted(world: World): void {
  for (const chassis of world.ovn?.chassis.values() ?? [])
    if (chassis.gone === 'shown') chassis.gone = 'forgotten';
}

/** Neutron's word: two pings behind and older than agent_down_time is dead. */
export function isChassisAlive(world: World, host: Host): boolean {
  const { ovn, nowMs } = world;
  const chassis = ovn?.chassis.get(host.name);
  if (ovn === null || chassis === undefined || chassis.gone !== 'no') return false;
  if (ovn.era === 'request' || ovn.nbCfg - chassis.nbCfg <= 1) return true;
  return nowMs - chassis.beatMs < world.settings.durations.agentDownMs;
}
