// What befalls clouds whose disks are on Ceph: a Ceph that does not answer, and the way back of hosts that were cut off.
// Where disks are elsewhere nothing happens.
import { begin, end } from '../../simulator/faults/script.ts';
import { faults } from './catalogue.ts';
import type { History } from './history.ts';
import { later, onFirst } from './moments.ts';
import { ofBusyHost, type Stroke, strike } from './stroke.ts';

export const cephStrokes = {
  cephAway: onCeph((history) => strike(history, faults.cephAway, [5, 120])),
  openersUnheard: onCeph((history) => strike(history, faults.openersUnheard, [5, 120])),
  openersReconnect: onCeph(
    ofBusyHost((history, { name }) => strike(history, faults.openersReconnect, [5, 120], name)),
  ),
  cephMonitorsHang: onCeph((history) => strike(history, faults.cephMonitorsHang, [5, 120])),
  osdHangs: onCeph((history) =>
    strike(history, faults.osdHangs, [3, 90], history.random.pick(['0', '1', '2'])),
  ),
  /** Booted after its recovery, or in the middle of it, and somebody tries again and again to lift its entries. */
  wayBack: onCeph(
    ofBusyHost((history, { name }) => {
      begin(history, faults.hostDies, name);
      onFirst(history, history.random.pick(['cut-off', 'evacuate']), ({ name: dead }) =>
        later(history, [0, 150], () => {
          end(history, faults.hostDies, dead);
          liftsAgainAndAgain(history, dead);
        }),
      );
    }),
  ),
  /** It only hung, and its nova-compute is started anew: all guests that were not evacuated are there still. */
  liftedTooEarly: onCeph(
    ofBusyHost((history, { name }) => {
      strike(history, faults.hostHangs, [100, 160], name);
      onFirst(history, 'cut-off', ({ name: dead }) => liftsAgainAndAgain(history, dead));
      later(history, [165, 180], () => {
        begin(history, faults.computeEnds, name);
        end(history, faults.computeEnds, name);
      });
    }),
  ),
} satisfies Record<string, Stroke>;

/** With the other steps of its way back, as far as Nova takes them. */
function liftsAgainAndAgain(history: History, host: string): void {
  for (const afterS of [0, 40, 80, 120, 160])
    later(history, [afterS, afterS + 40], () => {
      begin(history, faults.forcedUp, host);
      const worker = history.random.pick(history.workers);
      begin(history, faults.entriesLifted, worker.name, host);
    });
}

function onCeph(stroke: Stroke): Stroke {
  return (history) => {
    if (history.ceph !== null) stroke(history);
  };
}
