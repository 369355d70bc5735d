// Histories in which Ceph's blocklist is the only proof that a host writes nowhere: the level `ceph`, and the way back.
import { begin, end } from '../../simulator/faults/script.ts';
import { faults } from './catalogue.ts';
import { strokes } from './faults.ts';
import type { Focus } from './foci.ts';
import type { History } from './history.ts';
import { later, onFirst } from './moments.ts';
import { ofBusyHost, type Stroke, seconds, strike } from './stroke.ts';

const setting = { workers: 1, quorum: 1, monitors: 1, levels: 'ceph' } as const;
const byCeph = {
  spares: [1, 2, 2],
  setting,
  rules: { deadBackoff: 1, suspiciousBackoff: 5, fencing: 'required', asksDisks: true },
} as const;
const known = {
  ...{ unlearned: 0, sharedAddress: 0, strays: 0, elsewhere: 0, seconds: 0.5, lockless: 0.5, crowd: 3 },
  ...{ muteHost: 0, muteGuests: 0.1, cells: 0 },
};
const dark = 'reports, management, guests, storage';

/** Silent in every way, with all of its guests: it hangs, or is cut off. `wakes`: how it goes on. */
const fallsSilent = (then: (history: History, wakes: () => void) => void): Stroke =>
  ofBusyHost((history, { name }) => {
    const hangs = history.random.chance(0.5);
    if (hangs) begin(history, faults.hostHangs, name);
    else begin(history, faults.hostCutOff, name, dark);
    then(history, () => {
      if (hangs) end(history, faults.hostHangs, name);
      else end(history, faults.hostCutOff, name, history.random.pick(['storage', dark]));
    });
  });

const wakesInMidRecovery = fallsSilent((history, wakes) =>
  onFirst(history, history.random.pick(['cut-off', 'force-down', 'evacuate']), () =>
    later(history, [0, 20], wakes),
  ),
);

export const fociOfTheBlocklist: Readonly<Record<string, Focus>> = {
  'cut off from Ceph as the proof': {
    ...{ ...byCeph, traits: known, durationMs: 280 * seconds },
    disaster: wakesInMidRecovery,
  },
  'cut off from Ceph, but not all of it': {
    ...{ ...byCeph, durationMs: 240 * seconds, disaster: wakesInMidRecovery },
    traits: { ...known, lockless: 0, strays: 0.2, sharedAddress: 0.2 },
  },
  'cut off from Ceph, with disks elsewhere': {
    ...{ ...byCeph, traits: { ...known, elsewhere: 0.3 }, durationMs: 240 * seconds },
    disaster: wakesInMidRecovery,
  },
  /** With so few disks that most OSDs have none of them: nothing but the barrier tells of one that hangs. */
  'Ceph hangs while it is to prove': {
    ...{ ...byCeph, traits: { ...known, crowd: 1 }, durationMs: 240 * seconds },
    disaster: (history) => {
      const { random } = history;
      const hangs = (): void => {
        const kind = random.pick(['osdHangs', 'osdHangs', 'cephMonitorsHang', 'cephAway'] as const);
        const words = kind === 'osdHangs' ? [random.pick(['0', '1', '2'])] : [];
        strike(history, faults[kind], [1, 100], ...words);
      };
      if (random.chance(0.6)) onFirst(history, 'cut-off', hangs);
      else later(history, [20, 80], hangs);
      wakesInMidRecovery(history);
    },
  },
  'back from the blocklist': {
    ...{ ...byCeph, traits: known, durationMs: 420 * seconds },
    disaster: (history) => strokes[history.random.pick(['wayBack', 'liftedTooEarly'] as const)](history),
  },
  'back from the blocklist with its old guests': {
    ...{ ...byCeph, traits: { ...known, startsGuests: 1 }, durationMs: 420 * seconds },
    disaster: strokes.wayBack,
  },
  'its entries go while it is recovered': {
    ...{ ...byCeph, traits: known, durationMs: 280 * seconds },
    setting: { ...setting, concurrency: 1 },
    disaster: fallsSilent((history, wakes) =>
      onFirst(history, 'evacuate', ({ name }) => {
        begin(history, faults.entriesRemoved, name);
        strike(history, faults.openstackAway, [40, 70]);
        later(history, [0, 100], wakes);
      }),
    ),
  },
  'its entries go before its recovery goes on': {
    ...{ ...byCeph, traits: known, durationMs: 240 * seconds },
    disaster: fallsSilent((history) =>
      onFirst(history, 'proven', ({ name }) => {
        // Before it stands in the journal.
        history.downMs = () => 40 * seconds;
        history.workers[0]?.process?.kill();
        later(history, [1, 30], () => begin(history, faults.entriesRemoved, name));
      }),
    ),
  },
};
