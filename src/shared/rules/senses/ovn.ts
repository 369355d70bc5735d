// Sense: ovn-controller, which beats only when somebody lists agents. What ns4's looks came to stands in the inventory
// (src/ns4/jobs/ovn-looks.ts, docs/facts.md#ovn); here it becomes what the host says. Pure.
import { type Agent, kindOfAgent, type OvnState } from '../../documents/inventory.ts';
import { newest } from '../../ground/newest.ts';
import { ago, type Reading, type Sense, type SenseCase } from './sense.ts';

export const ovnSense: Sense = {
  name: 'ovn',
  kind: 'control-plane',
  title: 'OVN agents',
  help: 'an ovn-controller whose host in Neutron is the service host in Nova, on Neutron 21 (Zed) or newer, and a northd that runs',
  speak,
};

/** Beats move at least this often while OVN is well: a movement older than so many heartbeat periods tells nothing. */
const goodForPeriods = 2;
export const isGoodBeat = (heardAtMs: number, nowMs: number, periodMs: number): boolean =>
  nowMs - heardAtMs <= goodForPeriods * periodMs;

/** A look finds a missed beat; so many of them are made in a heartbeat period. */
const looksPerPeriod = 4;

const silentWords: Readonly<Record<OvnState['why'], string>> = {
  missed: 'others answered Neutron, its ovn-controller did not',
  vanished: 'its ovn-controller is gone from Neutron',
  deleted: 'its chassis was deleted from OVN',
  'called-dead': 'Neutron calls its ovn-controller dead',
  moved: 'its ovn-controller has not beaten',
  'never-moved': 'its ovn-controller has not beaten',
  'all-gone': 'its ovn-controller is gone from Neutron',
  'stamp-is-the-request': 'Neutron calls its ovn-controller dead',
};

function speak({ host, picture, nowMs, rules }: SenseCase): Reading {
  const rows = picture.agentsOf(host).filter((agent) => kindOfAgent(agent) !== 'reports');
  const controllers = rows.filter((agent) => kindOfAgent(agent) === 'ovn');
  if (controllers.length === 0)
    return { says: 'cannot-tell', why: 'no ovn-controller on it', heardAtMs: null };
  const heardAtMs = newest(rows.map(({ ovn }) => ovn?.heardAtMs ?? null));
  // A look finds a beat that may be as old as the look before.
  const livedAtMs = newest(rows.map(({ ovn }) => ovn?.heardAfterMs ?? null));
  const beat = aliveRow(rows, nowMs, rules.heartbeatPeriodMs);
  if (beat !== null) {
    const runsOutAtMs = beat.state.lookedAtMs + rules.heartbeatPeriodMs / looksPerPeriod;
    return {
      says: 'alive',
      why: `${beat.binary} beat ${ago(beat.heardAtMs, nowMs)}`,
      heardAtMs,
      livedAtMs,
      runsOutAtMs,
    };
  }
  const states = controllers.flatMap(({ ovn }) => (ovn === null ? [] : [ovn]));
  const silent = states.filter(({ says }) => says === 'silent');
  const [first] = silent;
  if (first !== undefined && silent.length === controllers.length)
    return { says: 'silent', why: silentWords[first.why], heardAtMs, livedAtMs };
  return { says: 'cannot-tell', why: whyNot(states), heardAtMs, livedAtMs };
}

function aliveRow(rows: readonly Agent[], nowMs: number, periodMs: number) {
  for (const { binary, ovn } of rows) {
    if (ovn?.says !== 'alive' || ovn.heardAtMs === null) continue;
    if (isGoodBeat(ovn.heardAtMs, nowMs, periodMs)) return { binary, state: ovn, heardAtMs: ovn.heardAtMs };
  }
  return null;
}

function whyNot(states: readonly OvnState[]): string {
  if (states.some(({ why }) => why === 'stamp-is-the-request'))
    return 'this Neutron stamps its ovn-controller with the time of the request, dead or alive';
  if (states.some(({ why }) => why === 'all-gone')) return 'Neutron shows no ovn-controller at all';
  if (states.some(({ says }) => says === 'alive'))
    return 'no ovn-controller of the cloud has beaten for long';
  return 'its ovn-controller was never seen to beat yet';
}
