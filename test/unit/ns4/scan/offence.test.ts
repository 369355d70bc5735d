// Who sent an ICMP error, and what it says: the table, for IPv4 and IPv6.
import { describe, expect, it, test } from 'vitest';
import { type Offence, probeOf } from '../../../../src/ns4/scan/offence.ts';

const router = '10.0.0.254';
const icmp = (by: Offence['by'], version: 4 | 6, type: number, code: number, tookMs = 5): Offence => ({
  ...{ id: 0, end: 'icmp', errno: 'EHOSTUNREACH', tookMs, by, version, type, code, offender: router },
});
/** A connect that "port unreachable" ended: refused, as by a reset. */
const rejected: typeof icmp = (...of) => ({ ...icmp(...of), end: 'refused', errno: 'ECONNREFUSED' });

test.each<[string, Offence, string, string | null]>([
  ['prohibited by the host itself', icmp('target', 4, 3, 10), 'prohibited', null],
  ['administratively prohibited by the host itself', icmp('target', 4, 3, 13), 'prohibited', null],
  ['host unreachable, in its own name', icmp('target', 4, 3, 1), 'unknown', 'EHOSTUNREACH in its own name'],
  ['time exceeded, in its own name', icmp('target', 4, 11, 0), 'unknown', 'EHOSTUNREACH in its own name'],
  ['no such neighbour, in its own name', icmp('target', 6, 1, 3), 'unknown', 'EHOSTUNREACH in its own name'],
  ['prohibited by the host itself in IPv6', icmp('target', 6, 1, 1), 'prohibited', null],
  ['policy of the host itself in IPv6', icmp('target', 6, 1, 5), 'prohibited', null],
  ['net unreachable, says a router', icmp('other', 4, 3, 0), 'silent', `EHOSTUNREACH from ${router}`],
  ['host unreachable, says a router', icmp('other', 4, 3, 1), 'silent', `EHOSTUNREACH from ${router}`],
  ['host unknown, says a router', icmp('other', 4, 3, 7), 'silent', `EHOSTUNREACH from ${router}`],
  ['routers send it in a circle', icmp('other', 4, 11, 0), 'silent', `EHOSTUNREACH from ${router}`],
  ['net prohibited by a router', icmp('other', 4, 3, 9), 'unknown', `EHOSTUNREACH from ${router}`],
  ['host prohibited by a router', icmp('other', 4, 3, 10), 'unknown', `EHOSTUNREACH from ${router}`],
  ['communication prohibited by a router', icmp('other', 4, 3, 13), 'unknown', `EHOSTUNREACH from ${router}`],
  ['no route, says a router in IPv6', icmp('other', 6, 1, 0), 'silent', `EHOSTUNREACH from ${router}`],
  ['address unreachable in IPv6', icmp('other', 6, 1, 3), 'silent', `EHOSTUNREACH from ${router}`],
  ['prohibited by a router in IPv6', icmp('other', 6, 1, 1), 'unknown', `EHOSTUNREACH from ${router}`],
  ['policy of a router in IPv6', icmp('other', 6, 1, 5), 'unknown', `EHOSTUNREACH from ${router}`],
  ['reject route of a router in IPv6', icmp('other', 6, 1, 6), 'unknown', `EHOSTUNREACH from ${router}`],
  ['own packet filter', icmp('self', 4, 3, 10), 'unknown', 'EHOSTUNREACH from this machine'],
  [
    'own packet filter, as if nobody had the address',
    icmp('self', 4, 3, 1),
    'unknown',
    'EHOSTUNREACH from this machine',
  ],
  ['nobody answers ARP', icmp('self', 4, 3, 1, 3_040), 'silent', 'EHOSTUNREACH from this machine'],
  [
    'nobody answers neighbour discovery',
    icmp('self', 6, 1, 3, 3_040),
    'silent',
    'EHOSTUNREACH from this machine',
  ],
  ['own packet filter, late', icmp('self', 4, 3, 10, 3_040), 'unknown', 'EHOSTUNREACH from this machine'],
  ['an answer at the second try', { id: 0, end: 'open', errno: null, tookMs: 3 }, 'open', null],
  [
    'a refusal at the second try',
    { id: 0, end: 'refused', errno: 'ECONNREFUSED', tookMs: 3 },
    'refused',
    null,
  ],
  ['no route', { id: 0, end: 'error', errno: 'ENETUNREACH', tookMs: 0 }, 'unknown', 'ENETUNREACH'],
  [
    'nothing more came',
    { id: 0, end: 'none', errno: null, tookMs: 3_500 },
    'unknown',
    'an error of unknown origin',
  ],
  ['no port, says the host itself', rejected('target', 4, 3, 3), 'refused', null],
  ['no port, says a router', rejected('other', 4, 3, 3), 'unknown', `ECONNREFUSED from ${router}`],
  [
    'no port, says the own packet filter',
    rejected('self', 4, 3, 3),
    'unknown',
    'ECONNREFUSED from this machine',
  ],
])('%s', (_, offence, state, code) => {
  expect(probeOf(offence, 'host')).toEqual({ state, code });
  expect(probeOf(offence, undefined)).toEqual({ state, code });
});

describe("in a guest's name, as a router of floating addresses sends its own errors", () => {
  it.each(
    [0, 1, 6, 7, 8, 11, 12]
      .map((code): [4 | 6, number, number] => [4, 3, code])
      .concat([
        [4, 11, 0],
        [6, 1, 0],
        [6, 1, 3],
        [6, 3, 0],
      ]),
  )('no way to it (IPv%i, type %i, code %i): silence, fast or slow', (version, type, code) => {
    for (const tookMs of [5, 3_040])
      expect(probeOf(icmp('target', version, type, code, tookMs), 'guest')).toEqual({
        ...{ state: 'silent', code: 'EHOSTUNREACH in its own name' },
      });
  });

  it.each([
    ...[2, 5, 9, 10, 13].map((code): [4 | 6, number, number] => [4, 3, code]),
    ...[1, 2, 5, 6].map((code): [4 | 6, number, number] => [6, 1, code]),
  ])('what a packet filter says (IPv%i, type %i, code %i): nobody knows whose', (version, type, code) => {
    expect(probeOf(icmp('target', version, type, code), 'guest')).toEqual({
      ...{ state: 'unknown', code: 'EHOSTUNREACH in its own name' },
    });
  });

  it.each<[4 | 6, number, number]>([
    [4, 3, 3],
    [6, 1, 4],
  ])('no port (IPv%i, type %i, code %i): likewise, though the connect is refused', (version, type, code) => {
    expect(probeOf(rejected('target', version, type, code), 'guest')).toEqual({
      ...{ state: 'unknown', code: 'ECONNREFUSED in its own name' },
    });
  });

  it('but a connection and a reset are its own', () => {
    for (const end of ['open', 'refused'] as const)
      expect(probeOf({ id: 0, end, errno: null, tookMs: 3 }, 'guest')).toEqual({ state: end, code: null });
  });
});
