// The disks of a host's instances as somebody to be asked: as a target of a scan, and what its finding means for the
// host. Any process of Ceph's clients that answers has the disk open and could write to it. Pure; the monitor and ns4 ask
// alike.
import type { ScanFinding, ScanTarget } from '../documents/jobs/scan.ts';
import type { Refusal } from '../documents/refusals/refusals.ts';

/** The name of that target; no instance or hypervisor has one with blanks. */
export const disksName = (host: string): string => `disks of ${host}`;

/** `instances`: ids; null: all that the inventory has on the host. */
export const disksTarget = (host: string, instances: readonly string[] | null = null): ScanTarget => ({
  name: disksName(host),
  kind: 'disks',
  endpoints: [],
  disksOf: { host, instances: instances === null ? null : [...instances] },
});

/** Are disks to be asked about, which the scanner cannot do? */
export const isOfDisks = ({ kind }: Pick<ScanTarget, 'kind'>): boolean => kind === 'disks';

/** What the disks of a host say against its being dead; null: nothing. */
export function disksRefusal(host: string, finding: ScanFinding | undefined): Refusal | null {
  if (finding?.state === 'answers') return { name: 'disks-open', host, on: finding.detail };
  if (finding?.state === 'silent' || finding?.neverHeard === true) return null;
  const detail = finding?.detail ?? 'no ns4 that scanned asks Ceph ([CEPH])';
  return { name: 'disks-unknown', host, detail };
}
