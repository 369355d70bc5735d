// Histories about what proves a host off: two feeds of which one gives power on, and messages of crash kernels.
import { begin } from '../../simulator/faults/script.ts';
import { faults } from './catalogue.ts';
import type { Focus } from './foci.ts';
import { onFirst } from './moments.ts';
import { busyHost, connect, cutOffHost, seconds, strike } from './stroke.ts';

const alone = { spares: [1, 2, 2], setting: { workers: 1, quorum: 1, monitors: 1 } };
const fenced = { deadBackoff: 1, suspiciousBackoff: 5, fencing: 'required' } as const;

export const fociOfFencing: Readonly<Record<string, Focus>> = {
  /** It lives, and one of its outlets gives power on after it was told off, or answers nobody. */
  'one of two feeds stays on': {
    ...{ ...alone, rules: fenced, durationMs: 200 * seconds },
    disaster: (history) => {
      const host = cutOffHost(history);
      if (host === null) return;
      const secondOutlet = history.random.pick(['stuck', 'stuck', 'works', 'dead'] as const);
      Object.assign(host, { bmc: 'dead', outlet: 'works', secondOutlet });
    },
  },
  'one of two feeds returns during a recovery': {
    ...{ ...alone, rules: fenced, durationMs: 280 * seconds },
    setting: { ...alone.setting, concurrency: 1 },
    disaster: (history) => {
      const host = cutOffHost(history);
      if (host === null) return;
      Object.assign(host, { bmc: 'dead', outlet: 'works', secondOutlet: 'works' });
      onFirst(history, 'evacuate', () => {
        begin(history, faults.feedReturns, host.name);
        strike(history, faults.openstackAway, [70, 100]);
      });
    },
  },
  /** Its crash kernel reports, or somebody does in its name just when it answers again. */
  'a crash kernel is said to report': {
    ...{ ...alone, rules: fenced, durationMs: 200 * seconds },
    traits: { muteHost: 0.3, prohibits: 0 },
    disaster: (history) => {
      const { random, timeline } = history;
      const crashes = random.chance(0.4);
      const host = crashes ? busyHost(history) : cutOffHost(history);
      if (host === null) return;
      host.hasKdump = true;
      if (crashes) return begin(history, faults.hostCrashes, host.name, '120');
      onFirst(history, 'listen', () =>
        timeline.after(random.between(0, 2_000), () => {
          connect(history, host, 'management');
          timeline.after(300, () => begin(history, faults.crashForged, host.name));
        }),
      );
    },
  },
};
