// The servers with the addresses that Neutron gives them now. Nova's own memory of addresses is minutes old, and names
// networks where it should identify them.

import type { Server, ServerAddress } from '../../shared/documents/inventory.ts';
import { groupBy } from '../../shared/ground/group-by.ts';
import type { Cloud, InstanceAddress, NetworkRecord } from '../cloud/cloud.ts';
import { externalNetworkIds, namelessNetworks } from './external-networks.ts';

interface ServersRead {
  readonly servers: Server[];
  /** What is odd about `provider_net`, as sentences. */
  readonly oddities: readonly string[];
}

/**
 * Reads servers, networks and addresses at once. `externalNetworks` are the names in `provider_net`; `onDown` hears the
 * ids of servers whose cell does not answer.
 * @throws CloudError when any of the lists fails
 */
export async function readServers(
  cloud: Pick<Cloud, 'listServers' | 'listNetworks' | 'listInstanceAddresses'>,
  externalNetworks: readonly string[],
  signal: AbortSignal,
  onDown: (id: string) => void,
): Promise<ServersRead> {
  const [servers, networks, addresses] = await Promise.all([
    cloud.listServers(signal, undefined, onDown),
    cloud.listNetworks(signal),
    cloud.listInstanceAddresses(signal),
  ]);
  return {
    servers: withAddresses(servers, networks, addresses, externalNetworks),
    oddities: namelessNetworks(networks, externalNetworks),
  };
}

/**
 * Each server with Neutron's addresses in the place of Nova's. One of which Neutron shows none keeps Nova's, and none
 * of these is external: by a name anybody could make it so.
 */
export function withAddresses(
  servers: readonly Server[],
  networks: readonly NetworkRecord[],
  addresses: readonly InstanceAddress[],
  externalNetworks: readonly string[],
): Server[] {
  const networkOf = new Map(networks.map((network) => [network.id, network]));
  const externalIds = externalNetworkIds(networks, externalNetworks);
  const shown = ({ networkId, address, type }: InstanceAddress): ServerAddress => {
    // One string for all that are on it, not one for each.
    const network = networkOf.get(networkId);
    return {
      network: network?.name ?? networkId,
      networkId: network?.id ?? networkId,
      external: type === 'floating' ? network?.isPublic === true : externalIds.has(networkId),
      address,
      version: address.includes(':') ? 6 : 4,
      type,
    };
  };
  const byInstance = groupBy(addresses, ({ instanceId }) => instanceId);
  return servers.map((server) => {
    const told = byInstance.get(server.id);
    return told === undefined ? server : { ...server, addresses: told.map(shown) };
  });
}
