// Jobs `fence-status` and `fence-off`: this ns4 asks and tells its devices in another one's stead.
import type { FenceJobName, Handlers } from '../../shared/documents/jobs/contracts.ts';
import { carryOut, type OwnDevices, tellStatus } from '../fencing/far/carry-out.ts';

export function fenceHandlers(own: OwnDevices): Pick<Handlers, FenceJobName> {
  return {
    'fence-status': (data, signal) => tellStatus(data, own, signal),
    'fence-off': (data, signal) => carryOut(data, own, signal),
  };
}
