// Histories about the senses and about whoever else acts on the same cloud: each leads to a rule that says who lives, or
// who may touch what. Those that the code cannot bear yet name what they wait for.
import { begin, end } from '../../simulator/faults/script.ts';
import type { Host } from '../../simulator/world/model.ts';
import { faults } from './catalogue.ts';
import { strokes } from './faults.ts';
import type { Focus } from './foci.ts';
import type { History } from './history.ts';
import { outsideNetworks } from './judges/life.ts';
import { later, onFirst } from './moments.ts';
import { busyHost, cut, type Stroke, seconds, strike } from './stroke.ts';

const spared = { spares: [1, 2, 2] };
const one = { setting: { workers: 1, quorum: 1, monitors: 1 } };
const slowly = { setting: { workers: 1, quorum: 1, monitors: 1, concurrency: 1 } };
const open = { deadBackoff: 1, suspiciousBackoff: 5, fencing: 'none' } as const;
const fenced = { deadBackoff: 1, suspiciousBackoff: 5, fencing: 'required' } as const;
const long = { durationMs: 200 * seconds };
const mute = { muteHost: 0.4, muteGuests: 1 };

export const fociOfSenses: Readonly<Record<string, Focus>> = {
  'nova-compute reports, and nothing else is heard': {
    ...{ ...spared, ...one, ...long, rules: open, traits: { muteGuests: 0.8 } },
    disaster: ofBusy((history, host) => {
      strike(history, faults.agentsEnd, [190, 190], host.name);
      cut(history, host, ['management', 'guests'], [190, 190]);
    }),
  },
  'guests that never spoke': {
    ...{ ...spared, ...one, ...long, rules: open, traits: { muteGuests: 1 } },
    disaster: ofBusy((history, host) => cut(history, host, ['reports', 'management'], [190, 190])),
  },
  /** They are mute for so long that everybody must know, on a host that is well; then it is cut off, and lives on. */
  'guests that fell silent while all was well': {
    ...{ ...spared, ...one, rules: { ...open, asksDisks: false }, traits: { muteHost: 0, muteGuests: 0 } },
    ...{ durationMs: 3_600 * seconds, household: { pausable: false, differs: null, rival: false } },
    disaster: ofBusy((history, host) => {
      for (const { name } of history.world.instancesOn(host.name)) begin(history, faults.guestHangs, name);
      later(history, [3_200, 3_300], () =>
        cut(history, host, ['reports', 'management', 'guests'], [250, 250]),
      );
    }),
  },
  /** Background passes ask its guests in vain meanwhile, which must not make them mute. */
  'dead for long before anybody judges': {
    ...{ ...spared, ...one, rules: { ...open, asksDisks: false }, traits: { muteHost: 0, muteGuests: 0 } },
    ...{ durationMs: 1_200 * seconds, household: { pausable: false, differs: null, rival: false } },
    disaster: ofBusy((history, { name }) => {
      begin(history, faults.hostDies, name);
      history.downMs = () => 1_100 * seconds;
      for (const { process } of history.monitors) process?.kill();
    }),
  },
  /** The host has lost what the control plane hears, and lives; most of its instances cannot be reached, as everybody's. */
  'one of two networks is dark': {
    ...{ ...spared, ...one, ...long, rules: open },
    traits: { twoNetworks: 1, outside: 1, muteGuests: 0, muteHost: 0, cells: 0, ovn: 0 },
    disaster: ofBusy((history, host) => {
      const worker = history.workers[0]?.name ?? '';
      const network = history.random.pick(outsideNetworks);
      strike(history, faults.workerBlind, [190, 190], worker, `network of ${network}`);
      cut(history, host, ['reports', 'management'], [190, 190]);
    }),
  },
  'a host that never answered': {
    ...{ ...spared, ...one, ...long, rules: fenced, traits: mute },
    disaster: (history) => hangsMute(history),
  },
  'its firewall says no': {
    ...{ ...spared, ...one, ...long, rules: fenced, traits: { muteGuests: 1, muteHost: 0 } },
    disaster: ofBusy((history, { name }) => {
      strike(history, faults.hostFirewalled, [190, 190], name, 'prohibits');
      strike(history, faults.controlHangs, [190, 190], name);
    }),
  },
  'power returns, and its guests soon': {
    ...{ ...spared, ...slowly, ...long, rules: fenced, traits: { muteHost: 0, crowd: 8 } },
    disaster: strokes.powerReturns,
  },
  'late reports against a proof': {
    ...{ ...spared, ...slowly, ...long, rules: fenced, traits: { muteHost: 0, crowd: 8 } },
    disaster: strokes.lateReports,
  },
  'late reports before it is gone on with': {
    ...{ ...spared, ...slowly, durationMs: 280 * seconds, rules: { ...fenced, asksDisks: false } },
    ...{ traits: { muteHost: 0, crowd: 8, ovn: 0, cells: 0 }, household: { isFar: false, differs: null } },
    disaster: ofBusy((history, { name }) => {
      Object.assign(history.world.host(name), { bmc: 'works' });
      begin(history, faults.hostDies, name);
      onFirst(history, 'evacuate', () =>
        later(history, [0, 4], () => {
          history.downMs = () => 8 * seconds;
          history.workers[0]?.process?.kill();
          later(history, [1, 7], () => begin(history, faults.lateReports, name));
        }),
      );
    }),
  },
  'its agents are deleted': {
    ...{ ...spared, ...one, ...long, rules: open, traits: { muteHost: 0, muteGuests: 0 } },
    ...{ disaster: strokes.agentsDeleted },
  },
  'back as it was, and recovered': {
    ...{ ...spared, ...one, rules: open, traits: { muteHost: 0, muteGuests: 0 } },
    ...{ durationMs: 420 * seconds, disaster: strokes.returnsAsItWas },
  },
  'its old guests start when it boots': {
    ...{ ...spared, ...one, rules: open, traits: { muteHost: 0, muteGuests: 0, startsGuests: 1 } },
    ...{ durationMs: 600 * seconds, disaster: strokes.oldGuestsStart },
  },
  'orders wait in its queue when it boots': {
    ...{ ...spared, ...slowly, rules: open, traits: { muteHost: 0, muteGuests: 0, crowd: 4 } },
    ...{ durationMs: 600 * seconds, disaster: strokes.startsWait },
  },
  'the device hits another host': {
    ...{ ...spared, ...one, rules: fenced, traits: { muteHost: 0 }, durationMs: 140 * seconds },
    disaster: ofBusy((history, host) => wrongDevice(history, host)),
  },
  'plans of fencing differ': {
    ...{ ...spared, setting: { workers: 2, quorum: 1, monitors: 1 }, rules: fenced },
    ...{ household: { isFar: false }, durationMs: 140 * seconds },
    disaster: ofBusy((history, host) => {
      Object.assign(host, { bmc: 'works' });
      const other = [...history.world.hosts.keys()].find((name) => name !== host.name) ?? '';
      strike(history, faults.plansDiffer, [130, 130], history.workers[0]?.name ?? '', other, host.name);
      strike(history, faults.hostHangs, [130, 130], host.name);
    }),
  },
  'an order to fence waits in the queue': {
    ...{ ...spared, setting: { workers: 2, quorum: 1, monitors: 1 }, rules: fenced },
    ...{ household: { isFar: true }, durationMs: 200 * seconds },
    disaster: ofBusy((history, host) => {
      Object.assign(host, { bmc: 'works', outlet: 'none' });
      cut(history, host, ['reports', 'management', 'guests'], [600, 600]);
      history.jobs.slow.add('fence-off');
      history.jobs.onRequest = (name) => {
        if (name !== 'fence-off') return;
        host.compute.broken = true;
        end(history, faults.hostCutOff, host.name, 'management');
        // Whoever gave it cannot take it back.
        later(history, [0, 2], () => history.workers.find(({ fences }) => !fences)?.process?.kill());
      };
    }),
  },
  'machines of ns4 are paused': {
    ...{ ...spared, rules: open, setting: { workers: 2, quorum: 1, monitors: 1, concurrency: 1 } },
    ...{ household: { pausable: true } },
    ...{ weather: { freezeAtRedis: 0.03 }, disaster: strokes.hostDies, durationMs: 140 * seconds },
  },
  'two Sonnys at one cloud': {
    ...{ ...spared, rules: open, household: { rival: true } },
    ...{ traits: { muteGuests: 0 }, disaster: strokes.hostDies, durationMs: 140 * seconds },
  },
  'an operator evacuates as well': {
    ...{ ...spared, ...slowly, rules: open, traits: { muteGuests: 0 }, durationMs: 140 * seconds },
    disaster: strokes.operatorEvacuates,
  },
  'two recoveries onto one spare': {
    ...{ spares: [1], setting: { workers: 2, quorum: 1, monitors: 1 }, rules: { ...fenced, deadBackoff: 2 } },
    ...{ disaster: strokes.twoOntoOne, durationMs: 140 * seconds },
  },
  /** Workers die with a request written down that never left; the instance stands for nobody's silence from then on. */
  'asked for in vain, and its guests answer again': {
    ...{ ...spared, setting: { workers: 2, quorum: 1, monitors: 1 }, rules: open, durationMs: 400 * seconds },
    ...{ traits: { muteGuests: 0 }, weather: { killAtChange: 0.3 } },
    disaster: ofBusy((history, { name }) => {
      begin(history, faults.hostCutOff, name, 'reports, management, guests');
      onFirst(history, 'force-down', () =>
        later(history, [2, 12], () => end(history, faults.hostCutOff, name, 'guests')),
      );
    }),
  },
  'a host under maintenance': {
    ...{ ...spared, ...one, ...long, rules: fenced },
    disaster: strokes.maintenance,
  },
  'switched on while it is fenced': {
    ...{ ...spared, ...one, rules: fenced, durationMs: 400 * seconds },
    disaster: strokes.switchedOnWhileFenced,
  },
  'reasons that merely name a spare': {
    ...{ spares: [0, 1], ...one, rules: open, durationMs: 140 * seconds },
    ...{ traits: { oddReason: 1, muteGuests: 0 } },
    disaster: strokes.hostDies,
  },
  /** Instances hang at their boot, or the agents of the spare are away when they arrive: Nova calls it a success. */
  'recovered, as Nova has it': {
    ...{ ...spared, ...one, rules: open, durationMs: 280 * seconds },
    traits: { muteGuests: 0, muteHost: 0, agentless: 0, cells: 0, ovn: 0 },
    disaster: (history) => {
      strokes.hostDies(history);
      onFirst(history, 'evacuate', ({ name }) => {
        const { random, world } = history;
        for (const guest of world.instancesOn(name))
          if (random.chance(0.5)) begin(history, faults.guestHangs, guest.name);
        const spares = [...world.hosts.keys()].filter((host) => host.startsWith('spare'));
        if (random.chance(0.5))
          for (const spare of spares) strike(history, faults.agentsEnd, [200, 240], spare);
      });
    },
  },
  'only its agents report, by another name': {
    ...{ ...spared, ...one, ...long, rules: open },
    traits: { otherNames: 1, agentless: 0, ovn: 0, muteGuests: 0, muteHost: 0, cells: 0 },
    disaster: ofBusy((history, host) => {
      strike(history, faults.computeEnds, [190, 190], host.name);
      cut(history, host, ['management', 'guests'], [190, 190]);
    }),
  },
  'hosts without agents': {
    ...{ ...spared, ...one, rules: open, durationMs: 140 * seconds },
    ...{ traits: { agentless: 1, muteGuests: 0 }, disaster: strokes.hostDies },
  },
  'most is silent, and some have no agents': {
    ...{ ...spared, ...one, rules: open, durationMs: 140 * seconds },
    traits: { agentless: 0.5, muteGuests: 0, muteHost: 0 },
    disaster: (history) => {
      strokes.hostDies(history);
      strokes.zoneCutOff(history);
    },
  },
};

/** Agents and nova-compute of one whose firewall lets nobody in; its guests live. */
function hangsMute(history: History): void {
  const { world, random } = history;
  const hosts = [...world.hosts.values()].filter(
    (host) => host.firewall !== 'open' && host.disabledReason === null,
  );
  if (hosts.length > 0) strike(history, faults.controlHangs, [190, 190], random.pick(hosts).name);
}

/** It hangs, its device is another host's, and the shot goes there. */
function wrongDevice(history: History, host: Host): void {
  const others = [...history.world.hosts.keys()].filter((name) => name !== host.name);
  Object.assign(host, { bmc: 'works' });
  strike(history, faults.deviceOfAnother, [130, 130], host.name, history.random.pick(others));
  strike(history, faults.hostHangs, [130, 130], host.name);
}

function ofBusy(befall: (history: History, host: Host) => void): Stroke {
  return (history) => {
    const host = busyHost(history);
    if (host !== null) befall(history, host);
  };
}
