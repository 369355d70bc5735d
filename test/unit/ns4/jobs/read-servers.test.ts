// Whose address is reached from outside: by Neutron's ids, whatever names projects give their networks.
import { describe, expect, it } from 'vitest';
import type { InstanceAddress, NetworkRecord } from '../../../../src/ns4/cloud/cloud.ts';
import { describeNetworks, namelessNetworks } from '../../../../src/ns4/jobs/external-networks.ts';
import { withAddresses } from '../../../../src/ns4/jobs/read-servers.ts';
import { address, server } from '../../../support/inventories.ts';

const networks: NetworkRecord[] = [
  { id: 'n-ext', name: 'ext-net', isPublic: true },
  { id: 'n-provider', name: 'provider', isPublic: true },
  { id: 'n-theirs', name: 'ext-net', isPublic: false },
  { id: 'n-pool', name: 'pool', isPublic: true },
  { id: 'n-private', name: 'private', isPublic: false },
];
const at = (networkId: string, of: string, change: Partial<InstanceAddress> = {}): InstanceAddress => ({
  ...{ instanceId: 'id-vm1', networkId, address: of, type: 'fixed' },
  ...change,
});
const shownOf = (addresses: InstanceAddress[], names = ['ext-net', 'provider']) =>
  withAddresses([server('vm1', 'hv01')], networks, addresses, names)[0]?.addresses;

describe('the addresses of a server', () => {
  it.each([
    ['on the external network', at('n-ext', '192.0.2.7'), true],
    ['on another network that provider_net names', at('n-provider', '192.0.2.7'), true],
    ["on a project's own network of the same name", at('n-theirs', '192.0.2.7'), false],
    ['on a network of another name', at('n-private', '10.0.0.7'), false],
    ['floating', at('n-ext', '192.0.2.7', { type: 'floating' }), true],
    ["floating on a project's own network", at('n-theirs', '192.0.2.7', { type: 'floating' }), false],
    [
      'floating on a network that provider_net does not name',
      at('n-pool', '192.0.2.7', { type: 'floating' }),
      true,
    ],
    ['on a network that was made meanwhile', at('n-new', '192.0.2.7'), false],
  ])('%s: external %s', (_, told, external) => {
    const name = networks.find(({ id }) => id === told.networkId)?.name ?? told.networkId;
    expect(shownOf([told])).toEqual([
      address(told.address, { network: name, networkId: told.networkId, type: told.type, external }),
    ]);
  });

  it('on an external network that provider_net does not name are not external', () => {
    expect(shownOf([at('n-ext', '192.0.2.7')], ['provider'])).toMatchObject([{ external: false }]);
  });

  it('all count, those of another protocol too', () => {
    expect(shownOf([at('n-ext', '192.0.2.7'), at('n-ext', '2001:db8::7')])).toMatchObject([
      { version: 4 },
      { version: 6 },
    ]);
  });

  // Table H, "networks need no unique name": Nova's cache knows the network by its label only.
  it("are Nova's own where Neutron has none, and then not external by label", () => {
    const remembered = server('vm1', 'hv01', {
      addresses: [
        address('192.0.2.1', { networkId: null, external: false }),
        address('192.0.2.2', { networkId: null, external: false, type: 'floating' }),
      ],
    });
    const others = [at('n-ext', '192.0.2.9', { instanceId: 'id-vm2' })];
    expect(withAddresses([remembered], networks, others, ['ext-net'])).toEqual([remembered]);
  });
});

describe('names in provider_net', () => {
  it.each([
    [['ext-net', 'provider'], []],
    [['nosuch'], ['provider_net names nosuch: Neutron has no network of that name']],
    [
      ['private', 'ext-net'],
      [
        "provider_net names private: no network of that name is open to all projects or Sonny's own, so none counts",
      ],
    ],
  ])('%j', (names, expected) => expect(namelessNetworks(networks, names)).toEqual(expected));

  it.each([
    [['ext-net'], 'ext-net (n-ext)'],
    [
      ['nosuch'],
      'none but floating addresses; provider_net names nosuch: Neutron has no network of that name',
    ],
  ])('--check says of %j: %s', (names, expected) => expect(describeNetworks(networks, names)).toBe(expected));
});
