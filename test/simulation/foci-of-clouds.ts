// Histories about kinds of clouds: OVN, whose agents beat only when they are asked, and Nova with two cells.
import { end } from '../../simulator/faults/script.ts';
import { faults } from './catalogue.ts';
import { strokes } from './faults.ts';
import type { Focus } from './foci.ts';
import { onFirst } from './moments.ts';
import { seconds, strike } from './stroke.ts';
import {
  asksNobody,
  beatsAgain,
  beatsAlone,
  cellStaysAway,
  controllerGone,
  diesInCellAway,
  nobodyBeats,
  spareWithoutController,
} from './strokes-of-clouds.ts';

const alone = { setting: { workers: 1, quorum: 1, monitors: 1 } };
const open = { deadBackoff: 1, suspiciousBackoff: 5, fencing: 'none' } as const;
const ovn = { ovn: 1, stampsRequests: 0, cells: 0, muteHost: 0, muteGuests: 0 };
const cells = { cells: 1, ovn: 0, agentless: 0, muteHost: 0, muteGuests: 0 };

export const fociOfClouds: Readonly<Record<string, Focus>> = {
  'OVN beats, and nothing else is heard': {
    ...{ spares: [1, 2, 2], ...alone, rules: open, traits: ovn },
    ...{ durationMs: 200 * seconds, disaster: beatsAlone },
  },
  'OVN beats during a recovery': {
    ...{ spares: [1, 2, 2], rules: open, traits: { ...ovn, crowd: 8 }, durationMs: 280 * seconds },
    setting: { workers: 1, quorum: 1, monitors: 1, concurrency: 1 },
    disaster: (history) => {
      beatsAgain(history);
      onFirst(history, 'evacuate', ({ name }) => {
        end(history, faults.hostCutOff, name, 'reports');
        strike(history, faults.novaAway, [100, 120]);
      });
    },
  },
  'OVN stamps the request': {
    ...{ spares: [1, 2, 2], ...alone, rules: open, traits: { ...ovn, stampsRequests: 1 } },
    ...{ durationMs: 140 * seconds, disaster: strokes.hostDies },
  },
  'OVN in trouble when a host dies': {
    ...{ spares: [1, 2, 2], ...alone, rules: open, traits: ovn, durationMs: 200 * seconds },
    disaster: (history) => {
      const { random } = history;
      for (const name of random.some(
        ['ovnAway', 'controllerStops', 'neutronAway', 'rabbitDown'] as const,
        0.5,
      ))
        strokes[name](history);
      history.timeline.after(random.between(0, 195) * seconds, () => strokes.hostDies(history));
    },
  },
  'its ovn-controller is gone': {
    ...{ spares: [1, 2, 2], ...alone, rules: open, traits: { ...ovn, agentless: 0 } },
    ...{ durationMs: 200 * seconds, disaster: controllerGone },
  },
  'the spare has lost its ovn-controller': {
    ...{ spares: [1], ...alone, rules: open, traits: { ...ovn, oddReason: 0 } },
    ...{ durationMs: 240 * seconds, disaster: spareWithoutController },
  },
  'nobody beats any more': {
    ...{ spares: [2], ...alone, rules: open, traits: ovn, durationMs: 240 * seconds },
    disaster: nobodyBeats,
  },
  'OVN asks nobody any more': {
    ...{ spares: [1, 2, 2], ...alone, rules: open, traits: ovn },
    ...{ durationMs: 220 * seconds, disaster: asksNobody },
  },
  'a cell stays away': {
    ...{ spares: [2], ...alone, rules: open, traits: cells },
    ...{ durationMs: 140 * seconds, disaster: cellStaysAway },
  },
  'a host of a cell that is away': {
    ...{ spares: [2], ...alone, rules: open, traits: cells },
    ...{ durationMs: 200 * seconds, disaster: diesInCellAway },
  },
};
