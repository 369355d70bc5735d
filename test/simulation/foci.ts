// Histories that are about one matter: each leads again and again to where one guard matters, which histories of all
// kinds seldom do. They are drawn as the others are, but for what the focus names.

import { begin, end } from '../../simulator/faults/script.ts';
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import type { State } from '../../src/monitor/core/state/state.ts';
import { faults } from './catalogue.ts';
import { strokes } from './faults.ts';
import { fociOfClouds } from './foci-of-clouds.ts';
import { fociOfDisks } from './foci-of-disks.ts';
import { fociOfFencing } from './foci-of-fencing.ts';
import { fociOfSenses } from './foci-of-senses.ts';
import { fociOfTheBlocklist } from './foci-of-the-blocklist.ts';
import { type Household, nobodysPort } from './generate.ts';
import type { History } from './history.ts';
import { phaseOf, underwayIn } from './judges/standing.ts';
import { later, onFirst, onFirstRecovery, onFirstSave } from './moments.ts';
import type { Traits } from './populate.ts';
import { redisForgets } from './redis-troubles.ts';
import type { Setting } from './setting.ts';
import { busyHost, connect, cut, cutOffHost, type Stroke, seconds, strike } from './stroke.ts';
import type { Weather } from './weather.ts';

export interface Focus {
  readonly rules?: Partial<Rules>;
  readonly setting?: Partial<
    Pick<Setting, 'workers' | 'quorum' | 'monitors' | 'method' | 'concurrency' | 'levels'>
  >;
  /** Numbers of spares to choose from. */
  readonly spares?: readonly number[];
  /** From the disaster on. */
  readonly weather?: Partial<Weather>;
  /** What its clouds are like, instead of what is drawn. */
  readonly traits?: Partial<Traits>;
  /** What its household is like, instead of what is drawn. */
  readonly household?: Partial<Household>;
  readonly disaster: Stroke;
  readonly durationMs?: number;
  /** What it is about, by the names of not-yet.ts: it has these although their rules are awaited. */
  readonly awaits?: readonly string[];
}

const spared = { spares: [1, 2, 2] };
const alone = { setting: { workers: 1, quorum: 1, monitors: 1 } };
const recovers = { deadBackoff: 1, suspiciousBackoff: 5 };

export const foci: Readonly<Record<string, Focus>> = {
  ...fociOfSenses,
  ...fociOfClouds,
  ...fociOfDisks,
  ...fociOfFencing,
  ...fociOfTheBlocklist,
  'answers before the order is begun': {
    ...{ ...spared, ...alone, rules: recovers, durationMs: 200 * seconds },
    disaster: (history) => returnsInTheQueue(history, 'management'),
  },
  /** The monitor's ports are right, and so are those of the controls that it names. */
  "answers at other ports than ns4's": {
    ...{ ...spared, ...alone, rules: recovers, durationMs: 200 * seconds },
    household: { differs: { hypervisorPorts: [nobodysPort], refusedMeans: 'silent' } },
    traits: { muteHost: 0 },
    disaster: (history) => returnsInTheQueue(history, 'management'),
  },
  'reports before the order is begun': {
    ...{ ...spared, ...alone, rules: recovers, durationMs: 200 * seconds },
    disaster: (history) => returnsInTheQueue(history, 'reports'),
  },
  'back between two levels of fencing': {
    ...{ ...spared, ...alone, rules: { ...recovers, fencing: 'required' }, durationMs: 140 * seconds },
    disaster: (history) => {
      const host = cutOffHost(history);
      if (host === null) return;
      host.bmc = 'dead';
      host.outlet = 'works';
      onFirst(history, 'shot', () => later(history, [0, 3], () => connect(history, host, 'management')));
    },
  },
  'guests answer during a recovery': {
    ...{ ...spared, rules: { ...recovers, fencing: 'none' }, durationMs: 280 * seconds },
    setting: { workers: 1, quorum: 1, monitors: 1, concurrency: 1 },
    disaster: guestsAnswerAgain,
  },
  /** The monitor asked them at the right ones. */
  "guests answer at other ports than ns4's": {
    ...{ ...spared, rules: { ...recovers, fencing: 'none' }, durationMs: 280 * seconds },
    setting: { workers: 1, quorum: 1, monitors: 1, concurrency: 1 },
    household: { differs: { instancePorts: [nobodysPort], refusedMeans: 'silent' } },
    disaster: guestsAnswerAgain,
  },
  'power returns during a recovery': {
    ...{ ...spared, rules: { ...recovers, fencing: 'required' }, durationMs: 280 * seconds },
    setting: { workers: 1, quorum: 1, monitors: 1, concurrency: 1 },
    disaster: (history) => {
      const host = cutOffHost(history);
      if (host === null) return;
      Object.assign(host, { bmc: 'works' });
      onFirst(history, 'evacuate', () => {
        end(history, faults.hostDies, host.name);
        strike(history, faults.openstackAway, [70, 100]);
      });
    },
  },
  'heard again while it is scanned': {
    ...{ ...spared, ...alone, rules: recovers, durationMs: 200 * seconds },
    traits: { agentless: 0, ovn: 0, cells: 0, muteHost: 0, muteGuests: 0 },
    disaster: (history) => {
      const host = cutOffHost(history);
      if (host === null) return;
      const phases = ['scanning-hosts', 'reading-servers'];
      const phase = history.random.pick(phases);
      onFirstSave(
        history,
        (state) => phaseOf(state).kind === phase,
        () => connect(history, host, 'reports'),
      );
    },
  },
  'ordered although its guests answer': {
    ...{ ...spared, ...alone, rules: { ...recovers, fencing: 'none' }, durationMs: 240 * seconds },
    disaster: (history) => {
      const host = busyHost(history);
      if (host === null) return;
      cut(history, host, ['reports', 'management'], [600, 600]);
      later(history, [65, 90], () => begin(history, faults.recoveryOrdered, host.name));
    },
  },
  'an order waits in the queue': {
    ...{ ...spared, ...alone, rules: recovers, durationMs: 200 * seconds },
    disaster: (history) => {
      strokes.hostDies(history);
      onFirstRecovery(history, () => {
        history.setting.weather.jobsSlow = 1;
      });
    },
  },
  'two workers at one order': {
    ...{ ...spared, rules: recovers, setting: { workers: 2, quorum: 1, monitors: 1 } },
    ...{ weather: { jobsDoubled: 0.7 }, disaster: strokes.hostDies },
  },
  'workers stand still': {
    ...{ ...spared, rules: recovers, setting: { workers: 2, quorum: 1, monitors: 1, concurrency: 1 } },
    ...{ weather: { freezeAtRedis: 0.03 }, disaster: strokes.hostDies, durationMs: 140 * seconds },
  },
  'Redis forgets during a recovery': {
    ...{ ...spared, rules: recovers, setting: { workers: 2, quorum: 1, monitors: 1, concurrency: 1 } },
    durationMs: 140 * seconds,
    disaster: (history) => {
      strokes.hostDies(history);
      onFirst(history, 'force-down', () =>
        later(history, [0, 6], () => {
          redisForgets(history);
          for (const { process } of history.monitors) process?.freeze(40 * seconds);
        }),
      );
    },
  },
  'Redis is cut in two during a recovery': {
    ...{ ...spared, rules: recovers, setting: { workers: 2, quorum: 1, monitors: 2, concurrency: 1 } },
    durationMs: 140 * seconds,
    disaster: (history) => {
      strokes.hostDies(history);
      const moment = history.random.pick(['shot', 'force-down', 'evacuate', 'evacuate'] as const);
      onFirst(history, moment, () => later(history, [0, 6], () => strokes.redisCutInTwo(history)));
    },
  },
  'Redis and monitor forget a recovery': {
    ...{ rules: { ...recovers, cooldownMs: 86_400_000 }, setting: { monitors: 1 } },
    ...{ spares: [2], durationMs: 260 * seconds },
    disaster: (history) => {
      strokes.hostDies(history);
      onFirstSave(history, isOver, () =>
        later(history, [1, 20], () => {
          redisForgets(history);
          for (const { process } of history.monitors) process?.kill();
          later(history, [1, 20], () => strokes.hostDies(history));
        }),
      );
    },
  },
  'Redis loses what was saved': {
    ...{ ...spared, rules: recovers, weather: { rollsBackAfterSave: 0.2 }, disaster: strokes.hostDies },
  },
  'back as it was while OpenStack is away': backAfterRecovery((history) =>
    strike(history, faults.openstackAway, [400, 400]),
  ),
  'back as it was, and all is forgotten': backAfterRecovery((history) =>
    later(history, [1, 20], () => {
      redisForgets(history);
      for (const { process } of history.monitors) process?.kill();
    }),
  ),
  'by hand onto another spare': {
    ...{ rules: recovers, setting: { workers: 2, quorum: 1, monitors: 1, concurrency: 1 } },
    ...{ spares: [2, 3], durationMs: 140 * seconds, disaster: handsMeet },
  },
  'drained when it dies': {
    ...{ ...spared, ...alone, rules: { ...recovers, fencing: 'required' }, durationMs: 140 * seconds },
    disaster: strokes.drained,
  },
  'drained when it dies, without fencing': {
    ...{ ...spared, ...alone, rules: { ...recovers, fencing: 'none' }, durationMs: 140 * seconds },
    disaster: strokes.drained,
  },
  'failed half-way, then by hand': failedHalfWay('required'),
  'failed half-way, then by hand, without fencing': failedHalfWay('none'),
  'refused while the next one is judged': {
    ...{ ...spared, ...alone, rules: { ...recovers, fencing: 'required' }, durationMs: 240 * seconds },
    disaster: (history) => {
      const host = busyHost(history);
      if (host === null) return;
      Object.assign(host, { bmc: 'dead', outlet: 'dead' });
      begin(history, faults.hostDies, host.name);
      onFirstRecovery(history, () => later(history, [0, 40], () => strokes.hostDies(history)));
    },
  },
  'one vantage point lost the way': {
    ...{ ...spared, rules: recovers, setting: { workers: 2, quorum: 1 }, durationMs: 140 * seconds },
    disaster: strokes.heardByOthers,
  },
  'no control host heard, and nobody testifies': {
    rules: { ...recovers, fencing: 'required' },
    ...alone,
    ...spared,
    durationMs: 140 * seconds,
    disaster: (history) => {
      const host = busyHost(history);
      if (host === null) return;
      const { world, workers } = history;
      const witnesses = world.instancesOn(host.name);
      begin(history, faults.strayInstance, host.name);
      for (const { name } of witnesses) begin(history, faults.instanceDeleted, name);
      begin(history, faults.hostDies, host.name);
      onFirstSave(
        history,
        (state) => phaseOf(state).kind === 'scanning-guests',
        () => strike(history, faults.workerBlind, [5, 60], workers[0]?.name ?? '', 'hosts'),
      );
    },
  },
  'the monitor stands still before the verdict': {
    ...{ ...spared, ...alone, rules: recovers, durationMs: 200 * seconds },
    disaster: (history) => {
      strokes.hostDies(history);
      onFirstSave(
        history,
        (state) => phaseOf(state).kind === 'scanning-guests',
        () =>
          later(history, [0, 3], () => {
            for (const { process } of history.monitors)
              process?.freeze(history.random.between(61, 80) * seconds);
          }),
      );
    },
  },
};

/** A host that was cut off, and lives, is connected again when it was recovered; `then` befalls everybody before that. */
function backAfterRecovery(then: (history: History) => void): Focus {
  return {
    ...{ ...spared, ...alone, rules: { ...recovers, fencing: 'none' }, durationMs: 480 * seconds },
    traits: { muteHost: 0, muteGuests: 0 },
    disaster: (history) => {
      const host = busyHost(history);
      if (host === null) return;
      cut(history, host, ['reports', 'management', 'guests'], [180, 190]);
      onFirstSave(history, isOver, () => then(history));
    },
  };
}

/** Its instances run on the spare, where Nova does not know of them, and somebody tries another one. */
function failedHalfWay(fencing: Rules['fencing']): Focus {
  return {
    ...{ rules: { ...recovers, fencing }, setting: { workers: 1, monitors: 1, quorum: 1 } },
    ...{ spares: [2, 3], durationMs: 260 * seconds },
    disaster: (history) => {
      strokes.failsHalfWay(history);
      onFirstSave(history, isOver, () => later(history, [1, 20], () => goOnByHand(history)));
    },
  };
}

/** Its worker and the monitor end half-way, and somebody goes on by hand, but onto a spare of his own choice. */
function handsMeet(history: History): void {
  const { judges, world, workers } = history;
  strokes.hostDies(history);
  onFirst(history, 'evacuate', (dead) =>
    later(history, [0, 1], () => {
      const under = judges.state === null ? [] : underwayIn(judges.state);
      const spare = under.find((r) => r.dead === dead.name)?.spare;
      const other = [...world.hosts.keys()].find((name) => name.startsWith('spare') && name !== spare);
      const [worker, ...rest] = workers;
      history.downMs = () => 60 * seconds;
      for (const seat of [...rest, ...history.monitors]) seat.process?.kill();
      later(history, [5, 15], () => {
        if (other !== undefined) worker?.role?.byHand(dead.name, other);
      });
    }),
  );
}

/** What a recovery left is ordered by hand onto another spare. */
function goOnByHand(history: History): void {
  const { judges, world } = history;
  const report = judges.state?.reports.at(-1);
  const spare = [...world.hosts.values()].find(({ disabledReason }) => disabledReason === 'spare');
  if (report !== undefined && spare !== undefined)
    begin(history, faults.recoveryOrderedOnto, report.dead, spare.name);
}

/** Guests of a host that was cut off are heard when its first instance is moved, and OpenStack is away meanwhile. */
function guestsAnswerAgain(history: History): void {
  const host = cutOffHost(history);
  if (host === null) return;
  onFirst(history, 'evacuate', () => {
    connect(history, host, 'guests');
    strike(history, faults.openstackAway, [70, 100]);
  });
}

/** Back in part as soon as its recovery is decided, which then waits for a worker. */
function returnsInTheQueue(history: History, line: 'management' | 'reports'): void {
  const host = cutOffHost(history);
  if (host === null) return;
  onFirstRecovery(history, () => {
    history.setting.weather.jobsSlow = 1;
    later(history, [0, 2], () => connect(history, host, line));
  });
}

/** A recovery has been, and none is under way. */
const isOver = (state: State): boolean =>
  state.reports.at(-1)?.acted === true && underwayIn(state).length === 0;
