import { expect, it } from 'vitest';
import { vouchersOf } from '../../../src/monitor/core/watches/hosts/vouchers.ts';
import type { ScanFinding } from '../../../src/shared/documents/jobs/scan.ts';

const a = { id: 'net-a', name: 'a' };
const b = { id: 'net-b', name: 'b' };
const guests = [
  { target: 'g-a1', networks: ['net-a'] },
  { target: 'g-a2', networks: ['net-a'] },
  { target: 'g-b', networks: ['net-b'] },
];
const silent: ScanFinding = { state: 'silent', detail: '' };
const mute: ScanFinding = { state: 'unknown', neverHeard: true, detail: '' };

it.each([
  ['guests on its network', [a], {}, [['g-a1', 'g-a2']], []],
  ['guests on each of its networks', [a, b], {}, [['g-a1', 'g-a2'], ['g-b']], []],
  ['also those that fell silent: it is they who tell a dark network', [b], { 'g-b': silent }, [['g-b']], []],
  ['those only that were ever heard', [a], { 'g-a1': mute }, [['g-a2']], []],
  ['all others where nobody on its network was ever heard', [b], { 'g-b': mute }, [['g-a1', 'g-a2']], ['b']],
  [
    'all others where nobody is on its network',
    [{ id: 'net-c', name: 'c' }],
    {},
    [['g-a1', 'g-a2', 'g-b']],
    ['c'],
  ],
  ['all where its network is not known', [], {}, [['g-a1', 'g-a2', 'g-b']], []],
  ['nobody where nobody was ever heard', [a], { 'g-a1': mute, 'g-a2': mute, 'g-b': mute }, [], ['a']],
] as const)('for a witness vouch %s', (_, networks, controls, sets, alone) => {
  expect(vouchersOf(networks, guests, controls)).toEqual({ sets, alone });
});
