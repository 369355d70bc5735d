// Histories about clouds whose disks are on Ceph: hosts that nothing but their disks tells of, hosts that wake up and
// write, and a Ceph that does not answer when it is needed.
import { begin, end } from '../../simulator/faults/script.ts';
import { faults } from './catalogue.ts';
import { strokes } from './faults.ts';
import type { Focus } from './foci.ts';
import type { History } from './history.ts';
import { later, onFirst, onFirstRecovery } from './moments.ts';
import { cut, ofBusyHost, seconds, strike } from './stroke.ts';

const alone = { spares: [1, 2, 2], setting: { workers: 1, quorum: 1, monitors: 1 } };
const open = { deadBackoff: 1, suspiciousBackoff: 5, fencing: 'none', asksDisks: true } as const;
const known = { unlearned: 0, sharedAddress: 0, strays: 0, muteHost: 0, muteGuests: 0.1, cells: 0 };
const dark = 'reports, management, guests';

export const fociOfDisks: Readonly<Record<string, Focus>> = {
  'cut off from all but storage': {
    ...{ ...alone, rules: open, traits: known, durationMs: 220 * seconds },
    disaster: ofBusyHost((history, host) =>
      cut(history, host, ['reports', 'management', 'guests'], [200, 200]),
    ),
  },
  /** It hangs, and sleeps on when all of its instances run elsewhere. */
  'asleep for long, cut off from Ceph': {
    ...{ ...alone, rules: open, traits: { ...known, crowd: 3 }, durationMs: 280 * seconds },
    disaster: ofBusyHost((history, { name }) => begin(history, faults.hostHangs, name)),
  },
  /** It lives, and no answer of anybody's disks gets to whoever asks. */
  'openers that nobody hears': {
    ...{ ...alone, rules: open, traits: known, durationMs: 220 * seconds },
    disaster: ofBusyHost((history, host) => {
      strike(history, faults.openersUnheard, [200, 200]);
      cut(history, host, ['reports', 'management', 'guests'], [200, 200]);
    }),
  },
  /** It lives, and its disks answer, but not each time. */
  'openers that miss a question': {
    ...{ ...alone, rules: open, traits: { ...known, crowd: 1 }, durationMs: 280 * seconds },
    disaster: ofBusyHost((history, host) => {
      strike(history, faults.openersReconnect, [260, 260], host.name);
      cut(history, host, ['reports', 'management', 'guests'], [260, 260]);
    }),
  },
  /** Silent in every way, until it is cut off from Ceph, or before that. */
  'frozen, cut off from Ceph, thawed': {
    ...{ ...alone, rules: open, traits: { ...known, crowd: 3 }, durationMs: 280 * seconds },
    disaster: ofBusyHost((history, { name }) => {
      const { random } = history;
      const freezes = random.chance(0.5);
      if (freezes) begin(history, faults.hostHangs, name);
      else begin(history, faults.hostCutOff, name, `${dark}, storage`);
      onFirst(history, random.pick(['force-down', 'evacuate', 'evacuate'] as const), ({ name: dead }) =>
        later(history, [0, 20], () => {
          if (freezes) end(history, faults.hostHangs, dead);
          else end(history, faults.hostCutOff, dead, random.pick(['storage', `${dark}, storage`]));
        }),
      );
    }),
  },
  /**
   * Its disks are silent when it is judged, and answer again, alone, before it is begun with or cut off: a cloud that is slow
   * to answer leaves the time in which what was asked first grows old.
   */
  'its storage returns before it is begun': {
    ...{ ...alone, rules: open, traits: known, durationMs: 260 * seconds, weather: { readSlow: 0.4 } },
    disaster: ofBusyHost((history, { name }) => {
      begin(history, faults.hostCutOff, name, `${dark}, storage`);
      onFirstRecovery(history, () =>
        later(history, [0, 5], () => end(history, faults.hostCutOff, name, 'storage')),
      );
    }),
  },
  'Ceph away when a host dies': {
    ...{ ...alone, rules: open, traits: known, durationMs: 200 * seconds },
    disaster: (history) => {
      const { random } = history;
      const kind = random.pick(['cephAway', 'cephMonitorsHang', 'osdHangs'] as const);
      const words = kind === 'osdHangs' ? [random.pick(['0', '1', '2'])] : [];
      // For good, or for a while that covers the verdict or what follows.
      if (random.chance(0.3)) later(history, [0, 90], () => begin(history, faults[kind], ...words));
      else later(history, [0, 90], () => strike(history, faults[kind], [10, 100], ...words));
      later(history, [0, 30], () => strokes.hostDies(history));
    },
  },
  'nobody can be asked but the disks': {
    ...{ ...alone, rules: open, durationMs: 160 * seconds },
    traits: { ...known, outside: 0 },
    disaster: (history) => dies(history),
  },
  'an address that nobody learned': {
    ...{ ...alone, rules: open, traits: { ...known, strays: 0.4, crowd: 3 }, durationMs: 200 * seconds },
    disaster: ofBusyHost((history, host) =>
      cut(history, host, ['reports', 'management', 'guests', 'storage'], [190, 190]),
    ),
  },
  'one address of two hosts': {
    ...{ ...alone, rules: open, traits: { ...known, sharedAddress: 1 }, durationMs: 160 * seconds },
    disaster: (history) => dies(history),
  },
};

function dies(history: History): void {
  strokes.hostDies(history);
}
