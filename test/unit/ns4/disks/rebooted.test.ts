// When the entries of a host may be lifted: only when no process of before can be left on it.
import { describe, expect, test } from 'vitest';
import { bootSeen, rebooted } from '../../../../src/ns4/disks/rebooted.ts';

const nowMs = Date.UTC(2026, 10, 29, 12);
const minuteMs = 60_000;
const cut = { atMs: nowMs - 60 * minuteMs, seenOff: null };
const up = (text: string) => bootSeen(` 12:00:01 up ${text},  2 users,  load average: 0.1, 0.1, 0.1`, nowMs);
const bmc = (says: 'on' | 'off' | 'unknown') => ({ name: 'fence_ipmilan, level 1', says });

describe('how long it is up', () => {
  test.each([
    ['0 min', 0],
    ['5 min', 5],
    ['3:22', 202],
    ['1 day, 2 min', 1_442],
    ['10 days,  3:22', 14_602],
  ])('%s', (text, minutes) => {
    const { notBeforeMs, notAfterMs } = up(text) ?? { notBeforeMs: 0, notAfterMs: 0 };
    const bootedMs = nowMs - minutes * minuteMs;
    expect(notBeforeMs).toBeLessThanOrEqual(bootedMs - minuteMs);
    expect(notAfterMs).toBeGreaterThanOrEqual(bootedMs);
    expect(notAfterMs - notBeforeMs).toBeLessThan(2 * minuteMs);
  });

  test.each(['', 'up and running', 'up 3 weeks', 'up 10:22:33 hours'])('"%s" says nothing', (text) => {
    expect(bootSeen(text, nowMs)).toBeNull();
  });
});

describe('rebooted?', () => {
  test.each([
    ['its device says off now, whatever else', null, [bmc('off')], up('10 days, 3:22'), 'yes', 'off now'],
    ['a device saw it off', { ...cut, seenOff: { atMs: nowMs, by: 'x' } }, [bmc('on')], null, 'yes', 'x saw'],
    ['booted since', cut, [bmc('on')], up('30 min'), 'yes', 'booted after 2026-11-29T11:00:00Z'],
    ['booted before', cut, [], up('10 days, 3:22'), 'no', 'it was not booted since'],
    ['booted before, and its BMC is dead', cut, [bmc('unknown')], up('1:02'), 'no', 'not booted since'],
    ['booted in that very minute', cut, [], up('1:00'), 'unknown', 'at about the time'],
    ['nobody tells', cut, [bmc('on')], null, 'unknown', 'tells no uptime'],
    ['nobody knows when it was cut off', null, [], up('5 min'), 'unknown', 'when it was cut off'],
  ] as const)('%s', (_, known, devices, boot, kind, why) => {
    expect(rebooted(known, devices, boot)).toEqual({ kind, why: expect.stringContaining(why) });
  });

  test('what a host says of itself is quoted', () => {
    const { why } = rebooted(cut, [], bootSeen('12:00:01 up 1:02,\n". Power it on\u001b[2K', nowMs));
    expect(why).toContain(`tells "12:00:01 up 1:02, '. Power it on\\x1b[2K"`);
  });
});
