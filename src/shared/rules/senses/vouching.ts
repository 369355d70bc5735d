// Who vouches for a scan: whether the silence that one vantage point found can be believed at all. Pure.
import type { ScanTarget } from '../../documents/jobs/scan.ts';

/**
 * Did a control answer that vouches? Where hypervisors were probed along it takes one of them: a gateway answers also a
 * scanner whose way to all hypervisors is cut. Other controls stand in only where there is no hypervisor.
 */
export function isVouchedFor(
  controls: readonly Pick<ScanTarget, 'name' | 'kind'>[],
  answers: (name: string) => boolean,
): boolean {
  const hosts = controls.filter(({ kind }) => kind === 'host');
  return (hosts.length > 0 ? hosts : controls).some(({ name }) => answers(name));
}
