// The one pretend cloud (simulator/world) on a history's timeline, with the durations of a real one.
import { boot } from '../../../simulator/world/instances.ts';
import type { Address, Host, Instance, Network } from '../../../simulator/world/model.ts';
import type { Durations } from '../../../simulator/world/options.ts';
import { World as PretendWorld } from '../../../simulator/world/world.ts';
import type { Random } from '../random.ts';
import type { Timeline } from '../timeline.ts';

const durations: Durations = {
  reportIntervalMs: 10_000,
  serviceDownMs: 60_000,
  agentDownMs: 75_000,
  // A look shows what is there: histories are not about how old Nova's count is.
  resourcesIntervalMs: 0,
  bootMs: 60_000,
  scheduleMs: 300,
  rebuildLeastMs: 1_000,
  rebuildMs: 4_000,
  oldHostShownMs: 70,
  hardRebootMs: 1_000,
  powerChangeMs: 300,
  portActiveMs: 500,
  rebindMs: 3_000,
  disableDeadBlockMs: 60_000,
  reconnectMs: 0,
};

export class World extends PretendWorld {
  readonly timeline: Timeline;
  readonly byAddress = new Map<string, Host | Instance>();

  constructor(timeline: Timeline, random: Random) {
    const chance = {
      between: (least: number, most: number) => random.between(least, most),
      newId: (kind: string, of: string) => `${kind}-${of}`,
    };
    super(timeline, chance, {
      projects: ['admin', 'project'],
      externalNetwork: 'ext-net',
      privateNetworks: ['private'],
      outsideAddress: (instance) => `203.0.113.${instance}`,
      durations,
    });
    this.timeline = timeline;
  }

  /** A hypervisor with its one zone, and 64 GB. */
  addPlainHost(
    part: Pick<Host, 'name' | 'address' | 'zone' | 'aggregates' | 'vcpus'> &
      Partial<Pick<Host, 'agentHost' | 'cell'>>,
    agents: readonly string[],
    agentIntervalMs: number,
    isSpare: boolean,
  ): Host {
    const hypervisorName = `${part.name}.example`;
    const host = this.addHost({
      ...part,
      hypervisorName,
      memoryMb: 64_000,
      agents,
      agentIntervalMs,
      isSpare,
    });
    if (host.address !== null) this.byAddress.set(host.address, host);
    return host;
  }

  /** `network`: another one than the first with the name that its address is under. */
  addInstance(
    part: Pick<Instance, 'name' | 'addresses' | 'mute' | 'vmState'> & {
      host: string;
      addresses: Address[];
      network?: Network;
    },
  ): Instance {
    const network = part.network ?? part.addresses[0]?.network;
    const options = { ...part, ...(network === undefined ? {} : { network }) };
    const instance = boot(this, part.name, this.host(part.host), options);
    // It runs since long, so that what answers at the beginning was heard since its launch, whatever the clocks say.
    if (instance.launchedAtMs !== null) instance.launchedAtMs -= 86_400_000;
    const isReached = (type: Address['type']) => type === 'floating' || instance.port.network.external;
    for (const { address, type } of part.addresses)
      if (isReached(type)) this.byAddress.set(address, instance);
    return instance;
  }
}
