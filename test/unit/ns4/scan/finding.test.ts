// What a connect's end says about a target, as tables.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, nameOf, type Testimony } from '../../../../src/ns4/scan/finding.ts';
import { type Probe, type ProbeState, stateOfError } from '../../../../src/ns4/scan/probe.ts';
import { boundWithin } from '../../../../src/ns4/scan/sockets.ts';

const open: Probe = { state: 'open', code: null };
const refused: Probe = { state: 'refused', code: null };
const late: Probe = { state: 'silent', code: 'no answer' };
const unreachable: Probe = { state: 'silent', code: 'EHOSTUNREACH' };
const noDescriptor: Probe = { state: 'unknown', code: 'EMFILE' };
const noRoute: Probe = { state: 'unknown', code: 'ENETUNREACH' };

/** One host, these probes on ports 22, 23, … */
function host(...probes: (Probe | null)[]): Testimony[] {
  return probes.map((probe, i) => ({ endpoint: { address: '10.0.0.1', port: 22 + i }, probe }));
}

describe("a connect's error", () => {
  it.each<[string | undefined, ProbeState]>([
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'open'],
    ['EPIPE', 'open'],
    ['ETIMEDOUT', 'silent'],
    ['EHOSTUNREACH', 'unknown'],
    ['EHOSTDOWN', 'unknown'],
    ['EMFILE', 'unknown'],
    ['ENFILE', 'unknown'],
    ['ENOBUFS', 'unknown'],
    ['ENOMEM', 'unknown'],
    ['ENETUNREACH', 'unknown'],
    ['ENETDOWN', 'unknown'],
    ['EACCES', 'unknown'],
    ['EPERM', 'unknown'],
    ['EINVAL', 'unknown'],
    ['EADDRNOTAVAIL', 'unknown'],
    ['EAFNOSUPPORT', 'unknown'],
    ['ENOTFOUND', 'unknown'],
    ['EAI_AGAIN', 'unknown'],
    ['ERR_SOCKET_CLOSED', 'unknown'],
    ['ESOMETHINGNEW', 'unknown'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('%s is %s', (code, state) => {
    expect(stateOfError(code, 10)).toBe(state);
  });

  it.each([
    ['EHOSTUNREACH', 'silent'],
    ['EHOSTDOWN', 'silent'],
    ['ENETUNREACH', 'unknown'],
    ['EACCES', 'unknown'],
  ])('%s after three seconds is %s: nobody has the hardware address', (code, state) => {
    expect(stateOfError(code, 3_050)).toBe(state);
  });
});

describe('the finding about a target', () => {
  it.each<[string, Testimony[], string, string]>([
    ['one open port', host(open), 'answers', '10.0.0.1:22 open'],
    ['a refusal', host(late, refused), 'answers', '10.0.0.1:23 refused'],
    ['an answer among trouble', host(noDescriptor, late, open), 'answers', '10.0.0.1:24 open'],
    ['an answer, the rest dropped', host(null, open, null), 'answers', '10.0.0.1:23 open'],
    ['all silent', host(late, late, late), 'silent', '3 ports silent'],
    ['one silent', host(late), 'silent', '10.0.0.1:22 silent'],
    ['unreachable', host(unreachable), 'silent', '10.0.0.1:22 silent (EHOSTUNREACH)'],
    ['partly unreachable', host(unreachable, late, unreachable), 'silent', '3 ports silent (2 EHOSTUNREACH)'],
    [
      "the kernel's own timeout",
      host({ state: 'silent', code: 'ETIMEDOUT' }),
      'silent',
      '10.0.0.1:22 silent',
    ],
    ['silence beside trouble', host(late, noRoute, noDescriptor), 'unknown', 'ENETUNREACH at 10.0.0.1:23'],
    ['trouble only', host(noDescriptor), 'unknown', 'EMFILE at 10.0.0.1:22'],
    ['silence beside a port not asked', host(late, null), 'unknown', 'not probed at 10.0.0.1:23'],
    ['nothing to ask', [], 'unknown', 'it has no address to scan'],
  ])('%s', (_what, testimonies, state, detail) => {
    expect(judge(testimonies, 'alive')).toEqual({ state, detail });
  });

  it.each<[string, Testimony[], string, string]>([
    ['a refusal', host(refused), 'silent', '10.0.0.1:22 silent (refused)'],
    ['refusals beside silence', host(refused, late, refused), 'silent', '3 ports silent (2 refused)'],
    ['a refusal beside an open port', host(refused, open), 'answers', '10.0.0.1:23 open'],
    ['a refusal beside trouble', host(refused, noRoute), 'unknown', 'ENETUNREACH at 10.0.0.1:23'],
  ])('%s, where a refusal proves nothing', (_what, testimonies, state, detail) => {
    expect(judge(testimonies, 'silent')).toEqual({ state, detail });
  });

  it('counts addresses when there are several, and writes IPv6 in brackets', () => {
    const probes = ['10.0.0.1', '2001:db8::1'].map((address) => ({
      endpoint: { address, port: 22 },
      probe: late,
    }));
    expect(judge(probes, 'alive').detail).toBe('2 ports on 2 addresses silent');
    expect(nameOf({ address: '2001:db8::1', port: 22 })).toBe('[2001:db8::1]:22');
    expect(judge(probes.slice(1), 'alive').detail).toBe('[2001:db8::1]:22 silent');
  });

  it('does not depend on the order of its endpoints, and trouble never makes it silent', () => {
    const probe = fc.constantFrom(open, refused, late, unreachable, noDescriptor, noRoute, null);
    const shuffled = fc
      .array(probe, { maxLength: 6 })
      .chain((probes) => fc.shuffledSubarray(host(...probes), { minLength: probes.length }));
    fc.assert(
      fc.property(shuffled, fc.constantFrom('alive' as const, 'silent' as const), (testimonies, means) => {
        const { state } = judge(testimonies, means);
        expect(judge([...testimonies].reverse(), means).state).toBe(state);
        const states = testimonies.map(({ probe }) => probe?.state ?? 'unknown');
        if (states.includes('unknown') || states.length === 0) expect(state).not.toBe('silent');
        if (states.includes('open')) expect(state).toBe('answers');
      }),
    );
  });
});

describe('the bound of sockets', () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                1048576              files\n`;
  it.each([
    ['20000', 4_096],
    ['unlimited', 4_096],
    ['4296', 4_096],
    ['1024', 824],
    ['256', 56],
    ['64', 16],
  ])('with %s files is %i', (soft, bound) => {
    expect(boundWithin(limits(soft))).toBe(bound);
  });
  it('is that of a usual limit where there is none to read', () => {
    expect(boundWithin('')).toBe(824);
  });
});
