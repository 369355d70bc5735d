// Addresses of hypervisors by which nobody can be told dead.
import { expect, test } from 'vitest';
import { addressTroubles } from '../../../../src/ns4/commands/address-troubles.ts';

const of = (...addresses: (string | null)[]) =>
  addressTroubles(addresses.map((address, i) => ({ host: `hv0${i + 1}`, address })));

test.each<[string, string | null, RegExp | null]>([
  ['its own', '10.0.0.1', null],
  ['IPv6', '2001:db8::1', null],
  ['none', null, /^has no address in Nova/],
  ['localhost', '127.0.0.1', /127\.0\.0\.1.*answers himself/],
  ["Debian's own name", '127.0.1.1', /answers himself/],
  ['localhost of IPv6', '::1', /answers himself/],
  ['any', '0.0.0.0', /answers himself/],
  ['a cloud on one machine', '127.68.1.3', null],
  ['another one', '127.0.51.1', null],
])('%s', (_, address, expected) => {
  const trouble = of(address).get('hv01') ?? null;
  if (expected === null) expect(trouble).toBeNull();
  else expect(trouble).toMatch(expected);
});

test('one address of several: each names the others, three at most', () => {
  const shared = of('10.0.0.1', '10.0.0.2', '10.0.0.1');
  expect([...shared.keys()]).toEqual(['hv01', 'hv03']);
  expect(shared.get('hv03')).toContain('10.0.0.1 in Nova, as has hv01: as long as one');
  const many = of(...Array.from({ length: 9 }, () => 'FE80::1'), 'fe80::1');
  expect(many.get('hv01')).toContain('as has hv02, hv03, hv04 and 6 more');
});
