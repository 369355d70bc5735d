import { expect, test } from 'vitest';
import { disksOf, sistersOf } from '../../../../src/ns4/storage/image-names.ts';

const id = '0e2f7e0e-6a3f-4c3e-9a1c-2f0b5a1d9b11';

test.each([
  ['from an image', [], ['vms'], [`vms/${id}_disk`]],
  ['in either pool', [], ['vms', 'volumes'], [`vms/${id}_disk`, `volumes/${id}_disk`]],
  [
    'with a volume',
    ['v1'],
    ['vms', 'fast'],
    ['vms/ID_disk', 'fast/ID_disk', 'vms/volume-v1', 'fast/volume-v1'],
  ],
  ['without pools', ['v1'], [], []],
])('disks of an instance %s', (_, volumes, pools, names) => {
  expect(disksOf({ id, volumes }, pools)).toEqual(names.map((name) => name.replace('ID', id)));
});

test('what an instance has beside its disks', () => {
  expect(sistersOf({ id, volumes: ['v1'] }, ['vms'])).toEqual(
    ['.config', '.swap', '.eph0', '.rescue'].map((ending) => `vms/${id}_disk${ending}`),
  );
});
