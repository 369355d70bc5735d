// Which networks are reached from outside: by Neutron's ids, as a name is nobody's property. Pure.
import type { NetworkRecord } from '../cloud/cloud.ts';

/**
 * The ids of the networks that `names` (`provider_net`) mean: only public ones, as any project can give its own network
 * the name of the external one; all of them where several bear the name.
 */
export function externalNetworkIds(
  networks: readonly NetworkRecord[],
  names: readonly string[],
): ReadonlySet<string> {
  const wanted = new Set(names);
  return new Set(networks.filter((n) => wanted.has(n.name) && n.isPublic).map(({ id }) => id));
}

/** Names that mean no such network, as sentences: instances cannot testify by them. */
export function namelessNetworks(networks: readonly NetworkRecord[], names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const named = networks.filter((network) => network.name === name);
    if (named.some(({ isPublic }) => isPublic)) return [];
    return named.length === 0
      ? [`provider_net names ${name}: Neutron has no network of that name`]
      : [
          `provider_net names ${name}: no network of that name is open to all projects or Sonny's own, so none counts`,
        ];
  });
}

/** Which networks `names` mean, and which of the names mean none, as one line. */
export function describeNetworks(networks: readonly NetworkRecord[], names: readonly string[]): string {
  const ids = externalNetworkIds(networks, names);
  const meant = networks.filter(({ id }) => ids.has(id)).map(({ id, name }) => `${name} (${id})`);
  return [meant.join(', ') || 'none but floating addresses', ...namelessNetworks(networks, names)].join('; ');
}
