// What ports, guests and fence devices say of a host, by a look that was made just now.
import { describe, expect, test } from 'vitest';
import { Picture } from '../../../../../src/shared/picture/picture.ts';
import { fenceDevicesSense } from '../../../../../src/shared/rules/senses/fence-devices.ts';
import { guestAddressesSense } from '../../../../../src/shared/rules/senses/guest-addresses.ts';
import { hostPortsSense } from '../../../../../src/shared/rules/senses/host-ports.ts';
import { instanceDisksSense } from '../../../../../src/shared/rules/senses/instance-disks.ts';
import type { AskedGuest, DeviceWord, Looked } from '../../../../../src/shared/rules/senses/sense.ts';
import { hypervisor, inventory } from '../../../../support/inventories.ts';

const nowMs = 1_000_000;
const { hosts, servers } = inventory({ hypervisors: [hypervisor('hv01')], agents: [], servers: [] }, nowMs);
const picture = Picture.of(hosts, servers);
const nothing: Looked = { ports: null, guests: [], disks: null, devices: [] };
const about = (looked: Partial<Looked> | null) => ({
  ...{ host: 'hv01', picture, nowMs, rules: { heartbeatPeriodMs: 40_000 } },
  looked: looked === null ? null : { ...nothing, ...looked },
});
const guest = (
  title: string,
  state: AskedGuest['finding']['state'],
  tells: AskedGuest['tells'] = 'testifies',
): AskedGuest => ({ title, tells, finding: { state, detail: `${title} ${state}` } });
const device = (name: string, power: DeviceWord['power']): DeviceWord => ({
  name,
  power,
  detail: 'timed out',
});

describe("the host's ports", () => {
  test.each([
    [null, 'cannot-tell'],
    [{ ports: { state: 'answers', detail: '10.0.0.1:22 open' } }, 'alive'],
    [{ ports: { state: 'silent', detail: '3 ports silent' } }, 'silent'],
    [{ ports: { state: 'unknown', neverHeard: true, detail: 'never heard from here' } }, 'cannot-tell'],
  ] as const)('%j', (looked, says) => expect(hostPortsSense.speak(about(looked)).says).toBe(says));
});

describe('its guests', () => {
  test.each([
    ['none can be asked', [], 'cannot-tell', 'no instance of it'],
    [
      'one of two answers',
      [guest('a', 'answers'), guest('b', 'silent')],
      'alive',
      '1 of 2 instances answers (a)',
    ],
    ['one that may run elsewhere answers', [guest('a', 'answers', 'nothing')], 'cannot-tell', 'a answers'],
    ['a stopped one answers all the same', [guest('a', 'answers', 'only-alive')], 'alive', 'a'],
    ['those that testify are silent', [guest('a', 'silent'), guest('b', 'unknown')], 'silent', 'a: silent'],
    ['a stopped one is silent', [guest('a', 'silent', 'only-alive')], 'cannot-tell', 'a silent'],
  ] as const)('%s', (_, guests, says, why) => {
    const reading = guestAddressesSense.speak(about({ guests }));
    expect(reading.says).toBe(says);
    expect(reading.why).toContain(why);
  });
});

describe('the disks of its instances', () => {
  test.each([
    [null, 'cannot-tell'],
    [{ disks: { state: 'answers', detail: 'the disks of 1 of 1 instance are open' } }, 'alive'],
    [{ disks: { state: 'silent', detail: '1 instance asked twice' } }, 'silent'],
    [{ disks: { state: 'unknown', detail: 'Ceph does not answer' } }, 'cannot-tell'],
  ] as const)('%j', (looked, says) => expect(instanceDisksSense.speak(about(looked)).says).toBe(says));
});

describe('its fence devices', () => {
  test.each([
    ['none', [], 'cannot-tell'],
    ['on is no sign of life by itself', [device('level 1', 'on')], 'cannot-tell'],
    ['off of all', [device('level 1', 'off'), device('level 2', 'off')], 'silent'],
    ['off of one', [device('level 1', 'off'), device('level 2', 'unknown')], 'cannot-tell'],
  ] as const)('%s', (_, devices, says) =>
    expect(fenceDevicesSense.speak(about({ devices })).says).toBe(says),
  );
});
