// What the reason of a disabled compute service says, as tables: spares, marks of recoveries, operators at work.
import { describe, expect, test } from 'vitest';
import { bearsMarkOfRecovery, operatorsReason } from '../../../../../src/shared/documents/inventory.ts';
import {
  isSpareReason,
  marksTarget,
  notASpareBecause,
  recoveryMarkOf,
  resurrectionReason,
} from '../../../../../src/shared/documents/terms/disabled-reason.ts';

const merely = 'contains the word but does not begin with it';

describe('spares', () => {
  test.each([
    ['spare', true, null],
    ['SPARE', true, null],
    ['  spare for rack 3', true, null],
    ['Spare: kept by anna', true, null],
    ['spare, sonny', true, null],
    ['sparering', false, merely],
    ['fan broken, waiting for spare part', false, merely],
    ['NOT a spare: BMC dead', false, merely],
    ['RMA: no spare DIMM in stock', false, merely],
    ['spare parts donor, do not use', false, 'speaks of spare parts'],
    ['spare-part store', false, 'speaks of spare parts'],
    ['spare partition of rack 3', true, null],
    ['disk trouble', false, null],
    ['', false, null],
    [null, false, null],
    ['sonny resurrection on spare1', false, null],
  ] as const)('%j', (reason, is, why) => {
    expect(isSpareReason(reason)).toBe(is);
    expect(notASpareBecause(reason)).toBe(why);
  });
});

describe('the mark of a recovery', () => {
  const by = { recovery: '20261121T030000-hv01.1', sonny: 'l3x9a' };

  test('says who and where to, and is read again', () => {
    const reason = resurrectionReason('hv04, hv05', by);
    expect(reason).toBe('sonny resurrection on hv04, hv05 (20261121T030000-hv01.1 l3x9a)');
    expect(recoveryMarkOf(reason)).toEqual({ targets: 'hv04, hv05', by });
  });

  test('of an earlier version', () => {
    expect(recoveryMarkOf('sonny resurrection on hv04')).toEqual({ targets: 'hv04', by: null });
    expect(recoveryMarkOf('disk trouble')).toBeNull();
    expect(recoveryMarkOf(null)).toBeNull();
  });

  test('fits into Nova whatever the targets: they are cut, not the owner', () => {
    const hosts = Array.from({ length: 60 }, (_, i) => `hv${i}`);
    const reason = resurrectionReason(hosts.join(', '), by);
    expect([...reason]).toHaveLength(255);
    const mark = recoveryMarkOf(reason);
    expect(mark?.by).toEqual(by);
    expect(mark !== null && marksTarget(mark, 'hv1') && !marksTarget(mark, 'hv59')).toBe(true);
  });
});

describe('an operator at work', () => {
  test.each([
    ['maintenance: BIOS update', 'maintenance: BIOS update'],
    [null, ''],
    ['waiting for spare part', 'waiting for spare part'],
    ['Masakari detected host failed.', 'Masakari detected host failed.'],
    ['spare', null],
    ['sonny resurrection on hv04', null],
    [resurrectionReason('hv04', { recovery: 'r.1', sonny: 's' }), null],
    ['AUTO: Connection to libvirt lost: 1', null],
  ])('disabled with %j', (disabledReason, expected) => {
    expect(operatorsReason({ status: 'disabled', disabledReason })).toBe(expected);
  });

  test('never where the service is enabled', () => {
    expect(operatorsReason({ status: 'enabled', disabledReason: null })).toBeNull();
  });
});

test('a mark that somebody wrote something before still tells of a recovery', () => {
  const disabledReason = 'RMA; sonny resurrection on hv04';
  expect(bearsMarkOfRecovery({ status: 'disabled', disabledReason })).toBe(true);
});
