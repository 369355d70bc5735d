// What `ns4 --check` says of Ceph: ready or not, who could be cut off, and what an operator has to look at.
import { describe, expect, test } from 'vitest';
import { describeCeph } from '../../../../src/ns4/commands/ceph-checks.ts';
import type { SeenAddress } from '../../../../src/ns4/disks/address-book.ts';
import { type Blocklist, cannotTell, type StorageFacts } from '../../../../src/ns4/storage/storage.ts';
import { server } from '../../../support/inventories.ts';

const nowMs = Date.UTC(2026, 10, 29, 12);
const facts: StorageFacts = {
  ...{ kind: 'known', version: 'ceph 16.2.15', fsid: 'f', epoch: 7, problems: [] },
  pools: [
    { name: 'vms', placementGroups: 32 },
    { name: 'volumes', placementGroups: 32 },
  ],
};
const blocking = (...addresses: string[]): Blocklist => ({
  ...{ kind: 'listed', epoch: 7 },
  entries: addresses.map((a) => ({ entry: `${a}:0/0`, range: false, expiresAtMs: nowMs + 30 * 86_400_000 })),
});
const seen = (host: string, address: string): SeenAddress => ({
  ...{ host, address, firstMs: nowMs - 3_600_000, lastMs: nowMs },
});
const host = (name: string, change: object = {}) => ({
  ...{ host: name, state: 'up' as const, status: 'enabled' as const, runningVms: 2 },
  ...change,
});
const readable = { denied: null, unread: null, missing: [], unlooked: 0, nothingHere: new Set<string>() };
const check = (change: Partial<Parameters<typeof describeCeph>[0]> = {}) =>
  describeCeph({
    ...{ facts, blocklist: blocking(), nowMs, plan: null, cuts: new Map(), disks: readable },
    addresses: [seen('hv01', '10.2.0.1'), seen('hv02', '10.2.0.2')],
    hypervisors: [host('hv01'), host('hv02')],
    ...change,
  });

/** hv01 is fenced by the example agent, with these addresses. */
function blockingPlan(plug: string) {
  const device = { agent: 'fence_ceph_blocklist', program: '/x', options: { plug } };
  const level = { number: 1, devices: [device] };
  return { file: '/f', hosts: new Map([['hv01', [level]]]), others: null, secrets: [] };
}

test('all is well', () => {
  expect(check()).toBe(
    'ceph 16.2.15, pools vms, volumes; hypervisors that could be cut off: hv01 (10.2.0.1), hv02 (10.2.0.2)',
  );
});

describe('what an operator has to look at', () => {
  test.each<[string, Parameters<typeof check>[0], string]>([
    [
      'nobody was seen yet',
      { addresses: [] },
      'could be cut off: none yet; WARNING: no address is known of hv01, hv02',
    ],
    [
      'one was never seen',
      { hypervisors: [host('hv01'), host('hv03')] },
      'no address is known of hv03, so nothing',
    ],
    [
      'one was never seen, and its instances never counted',
      { hypervisors: [host('hv01'), host('hv03', { runningVms: null })] },
      'no address is known of hv03, so nothing',
    ],
    [
      'two share an address',
      { addresses: [seen('hv01', '10.2.0.1'), seen('hv02', '10.2.0.1')] },
      'WARNING: hv01 and hv02 open disks from 10.2.0.1, so neither can be cut off',
    ],
    [
      'a disk could not be read just now',
      { disks: { ...readable, unread: 'by whom vms/1_disk is open could not be read: it hangs' } },
      'WARNING: by whom vms/1_disk is open could not be read: it hangs',
    ],
    [
      'disks elsewhere',
      {
        disks: {
          ...readable,
          missing: [
            { instance: server('vm1', 'hv01'), volume: null },
            { instance: server('vm2', 'hv01'), volume: 'v7' },
          ],
          unlooked: 3,
        },
      },
      'WARNING: 2 disks of running instances not found in vms, volumes (elsewhere, or renamed), so nobody asks who has them open, and other pools get no barrier: the disk of "vm1", volume-v7 of "vm2"; 3 instances not looked at in time',
    ],
    [
      'one is back and still blocked',
      { blocklist: blocking('10.2.0.1') },
      '10.2.0.1 of hv01 is still blocked',
    ],
  ])('%s', (_, change, text) => expect(check(change)).toContain(text));

  test('a spare without instances is nobody to be cut off; a dead one stays blocked', () => {
    const hypervisors = [host('hv01', { state: 'down' }), host('hv04', { runningVms: 0 })];
    expect(check({ hypervisors, blocklist: blocking('10.2.0.1') })).not.toContain('WARNING');
  });

  test('whoever has no disk here needs no address', () => {
    const hypervisors = [host('hv01'), host('hv03')];
    const disks = { ...readable, nothingHere: new Set(['hv03']) };
    expect(check({ hypervisors, disks })).not.toContain('hv03');
  });

  test('a level of fencing.yaml that does not name all addresses', () => {
    expect(check({ plan: blockingPlan('10.2.0.9') })).toContain(
      'WARNING: hv01 opens disks from 10.2.0.1, which its level in fencing.yaml does not name',
    );
  });
});

describe('a level of fencing.yaml that names an address of another host', () => {
  const plan = blockingPlan('10.2.0.1, 10.2.0.2');

  test('fails: that one would be cut off', () => {
    expect(() => check({ plan })).toThrow(
      'the level of hv01 in fencing.yaml names 10.2.0.2, by which Ceph knows hv02: to fence hv01 would cut off hv02',
    );
  });

  test('an address that moved here: the other one has had a new one for longer', () => {
    const before = { ...seen('hv02', '10.2.0.2'), lastMs: nowMs - 2 * 86_400_000 };
    const addresses = [seen('hv01', '10.2.0.1'), seen('hv01', '10.2.0.2'), before, seen('hv02', '10.2.0.7')];
    expect(check({ plan, addresses })).toContain('hypervisors that could be cut off');
  });
});

test.each<[string, Parameters<typeof check>[0], string]>([
  ['Ceph does not answer', { facts: cannotTell('no monitor answers') }, 'no monitor answers'],
  ['caps are missing', { facts: { ...facts, problems: ['it may not block'] } }, 'it may not block'],
  [
    'disks may not be read',
    { disks: { ...readable, denied: 'by whom vms/1_disk is open could not be read: no caps' } },
    'by whom vms/1_disk is open could not be read: no caps; nobody could be cut off for certain: its user needs "allow r class-read pool=POOL object_prefix PREFIX" for each prefix of rbd_id. rbd_header. rbd_info rbd_directory rbd_object_map in vms, volumes and each pool that has parents',
  ],
  ['the blocklist cannot be read', { blocklist: cannotTell('it hangs') }, 'it hangs'],
])('fails: %s', (_, change, text) => expect(() => check(change)).toThrow(text));
