// What disks say of a host: one opener that answers is a sign of life, silence counts of those only that answered before.
import { describe, expect, test } from 'vitest';
import { AddressBook, type SeenAddress } from '../../../../src/ns4/disks/address-book.ts';
import { type AskedInstance, type DiskOpener, judgeDisks } from '../../../../src/ns4/disks/judge.ts';

const nowMs = Date.UTC(2026, 10, 29, 12);
const hour = 3_600_000;
const seen = (host: string, address: string, change: Partial<SeenAddress> = {}): SeenAddress => ({
  ...{ host, address, firstMs: nowMs - 10 * hour, lastMs: nowMs - 60_000 },
  ...change,
});
const book = (...all: SeenAddress[]) => new AddressBook(all, nowMs);
const known = book(seen('hv01', '10.2.0.1'), seen('hv02', '10.2.0.2'));

const opener = (address: string | null, answered = true): DiskOpener => ({ address, answered });
const vm = (name: string, openers: DiskOpener[], change: Partial<AskedInstance> = {}): AskedInstance => ({
  ...{ name, tells: 'testifies', launchedAtMs: nowMs - 5 * hour, answeredAtMs: nowMs - 200_000 },
  word: { disks: [openers], trouble: null },
  ...change,
});
const trouble = { word: { disks: [], trouble: 'no answer within 1500 ms' } };
const judge = (instances: AskedInstance[], others = { asked: 10, answered: 10 }, addresses = known) =>
  judgeDisks({ host: 'hv01', instances, book: addresses, others, nowMs });

describe('whose an opener is', () => {
  test.each<[string, AddressBook, string | null, string]>([
    ['seen with this host', known, '10.2.0.1', 'its-own'],
    ['seen with another one', known, '10.2.0.2', 'elsewhere'],
    ['never seen', known, '10.2.0.9', 'unknown'],
    ['not told', known, null, 'unknown'],
    ['of both', book(seen('hv01', '10.2.0.5'), seen('hv02', '10.2.0.5')), '10.2.0.5', 'unknown'],
    [
      'of this host, eight days ago',
      book(seen('hv01', '10.2.0.1', { lastMs: nowMs - 192 * hour })),
      '10.2.0.1',
      'unknown',
    ],
  ])('%s', (_, addresses, address, whose) => {
    expect(addresses.whose(address, 'hv01')).toBe(whose);
  });

  test('present addresses: seen shortly before the newest sight, those of others apart', () => {
    const addresses = book(
      seen('hv01', '10.2.0.1'),
      seen('hv01', '10.2.1.1', { lastMs: nowMs - 30 * 60_000 }),
      seen('hv01', '10.2.0.77', { lastMs: nowMs - 3 * hour }),
      seen('hv01', '10.2.0.5'),
      seen('hv02', '10.2.0.5'),
    );
    expect(addresses.presentOf('hv01')).toEqual({ own: ['10.2.0.1', '10.2.1.1'], shared: ['10.2.0.5'] });
    expect(addresses.presentOf('hv03')).toEqual({ own: [], shared: [] });
  });
});

describe('alive', () => {
  test.each<[string, AskedInstance[]]>([
    ['one answers from the host', [vm('vm1', []), vm('vm2', [opener('10.2.0.1')])]],
    ['from an address that nobody knows', [vm('vm1', [opener('10.2.0.9')])]],
    ['from an address that Ceph does not tell', [vm('vm1', [opener(null)])]],
    ['one that never answered before', [vm('vm1', [opener('10.2.0.1')], { answeredAtMs: null })]],
    ['one that Nova calls stopped', [vm('vm1', [opener('10.2.0.1')], { tells: 'only-alive' })]],
    ['one in migration, from the source', [vm('vm1', [opener('10.2.0.1')], { tells: 'nothing' })]],
    ['one answers while others cannot be asked', [vm('vm1', [], trouble), vm('vm2', [opener('10.2.0.1')])]],
  ])('%s', (_, instances) => {
    expect(judge(instances).state).toBe('answers');
    expect(judge(instances, { asked: 0, answered: 0 }).state).toBe('answers');
  });

  test('in words', () => {
    expect(
      judge([vm('vm1', [opener('10.2.0.1')]), vm('vm2', [opener('10.2.0.1')]), vm('vm3', [])]).detail,
    ).toBe('the disks of 2 of 3 instances are open ("vm1", "vm2"), by 10.2.0.1');
  });
});

describe('silent', () => {
  test.each<[string, AskedInstance[]]>([
    ['nobody has it open', [vm('vm1', [])]],
    [
      'its opener does not answer: frozen, cut off, or dead just now',
      [vm('vm1', [opener('10.2.0.1', false)])],
    ],
    ['others never answered', [vm('vm1', []), vm('vm2', [], { answeredAtMs: null })]],
    ['another one is open elsewhere', [vm('vm1', []), vm('vm2', [opener('10.2.0.2')])]],
    [
      'one in migration is open at its destination',
      [vm('vm1', []), vm('vm2', [opener('10.2.0.9')], { tells: 'nothing' })],
    ],
  ])('%s', (_, instances) => {
    expect(judge(instances)).toEqual({
      state: 'silent',
      detail: '1 instance asked twice, while 10 of 10 on other hypervisors answer',
    });
  });
});

describe('cannot tell', () => {
  test.each<[string, AskedInstance[], { asked: number; answered: number }, boolean]>([
    [
      'Ceph does not answer for one of them',
      [vm('vm1', []), vm('vm2', [], trouble)],
      { asked: 1, answered: 1 },
      false,
    ],
    ['no disk on another hypervisor answers', [vm('vm1', [])], { asked: 3, answered: 0 }, false],
    ['no other could be asked', [vm('vm1', [])], { asked: 0, answered: 0 }, false],
    ['none ever answered', [vm('vm1', [], { answeredAtMs: null })], { asked: 1, answered: 1 }, true],
    [
      'it answered before its launch',
      [vm('vm1', [], { launchedAtMs: nowMs - 100_000 })],
      { asked: 1, answered: 1 },
      true,
    ],
    [
      'it answered two days ago',
      [vm('vm1', [], { launchedAtMs: null, answeredAtMs: nowMs - 48 * hour })],
      { asked: 1, answered: 1 },
      true,
    ],
    ['it is stopped', [vm('vm1', [], { tells: 'only-alive' })], { asked: 1, answered: 1 }, true],
    ['it is open elsewhere', [vm('vm1', [opener('10.2.0.2')])], { asked: 1, answered: 1 }, true],
    ['no instances', [], { asked: 1, answered: 1 }, true],
  ])('%s', (_, instances, others, neverHeard) => {
    const { state, neverHeard: found = false } = judge(instances, others);
    expect({ state, neverHeard: found }).toEqual({ state: 'unknown', neverHeard });
  });
});
