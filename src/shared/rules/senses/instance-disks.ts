// Sense: the disks of a host's instances on Ceph. Whoever has one open and answers could write now; silence counts of those
// only that answered before. Pure.
import type { Reading, Sense, SenseCase } from './sense.ts';

export const instanceDisksSense: Sense = {
  name: 'disks',
  kind: 'disks',
  title: 'the disks of its instances',
  help: '[CEPH] in config.ini, for instances with disks there (docs/ceph.md)',
  speak,
};

function speak({ looked, nowMs }: SenseCase): Reading {
  const finding = looked?.disks ?? null;
  if (finding === null) return { says: 'cannot-tell', why: 'Ceph is not asked', heardAtMs: null };
  const { state, detail: why } = finding;
  if (state === 'answers') return { says: 'alive', why, heardAtMs: nowMs };
  return { says: state === 'silent' ? 'silent' : 'cannot-tell', why, heardAtMs: null };
}
