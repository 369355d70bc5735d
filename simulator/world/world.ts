// The state of the pretend cloud: hosts, instances, records, and which services run. It has a clock of its owner's
// choice but no HTTP and no sockets. The rules that change it stand in the files around it, one per subject.
import type { Chance, Planned, WorldClock } from './clock.ts';
import type {
  Aggregate,
  Evacuation,
  EvacuationTrouble,
  Host,
  Instance,
  Migration,
  Network,
  Ovn,
  Project,
  Reporter,
} from './model.ts';
import type { Boot, WorldSettings } from './options.ts';
import { PlacementBook } from './placement-book.ts';
import { ApiRefusal } from './refusal.ts';

/** What can be stopped: the four APIs, and what works behind them (OVN's northd and southbound database included). */
export type ServiceName =
  | 'keystone'
  | 'nova'
  | 'neutron'
  | 'placement'
  | 'conductor'
  | 'rabbitmq'
  | 'northd'
  | 'southbound';

/** Is told of what must not be, or not too often. */
export interface Listener {
  /** Nova was made to start an instance elsewhere. `second`: another evacuation of it was under way. */
  evacuationTaken(instance: Instance, target: string, second: boolean): void;
  /** An instance starts on a host while copies of it exist on others. */
  secondWriter(instance: Instance, host: string, others: readonly string[]): void;
}

/** A host as it is added to a world. */
interface HostPart {
  readonly name: string;
  readonly hypervisorName: string;
  readonly address: string | null;
  /** What its agents call it; default: `name`. */
  readonly agentHost?: string;
  /** Default: cell1. */
  readonly cell?: string;
  readonly zone: string;
  readonly aggregates: readonly string[];
  readonly vcpus: number;
  readonly memoryMb: number;
  /** Binaries of its network agents. */
  readonly agents: readonly string[];
  /** How often those report; nova-compute does so by the world's own interval. */
  readonly agentIntervalMs: number;
  /** Set aside: disabled with the reason "spare". */
  readonly isSpare: boolean;
}

/** The host itself keeps half a gigabyte, as Nova's reserved_host_memory_mb says. */
export const reservedMemoryMb = 512;
/** How long hosts have reported already when they are added. */
const pastMs = 600_000;

/** Its hosts were booted long before it begins. */
const upBeforeMs = 10 * 86_400_000;

/** `S`: a skin may have settings of its own beside those of the world. */
export class World<S extends WorldSettings = WorldSettings> {
  readonly clock: WorldClock;
  readonly chance: Chance;
  readonly settings: S;
  readonly hosts = new Map<string, Host>();
  readonly instances: Instance[] = [];
  /** Oldest first. */
  readonly migrations: Migration[] = [];
  readonly evacuations = new Set<Evacuation>();
  /** Does somebody see to it that rebuilds that hang come to an end? */
  isTended = false;
  readonly aggregates: Aggregate[] = [];
  readonly projects: readonly Project[];
  readonly networks: Network[] = [];
  readonly placement = new PlacementBook();
  readonly stopped = new Set<ServiceName>();
  /** Cells that do not answer Nova. */
  readonly downCells = new Set<string>();
  /** Null: all agents report by themselves. */
  ovn: Ovn | null = null;
  readonly startedAtMs: number;
  /** The cloud's clock minus true time. */
  cloudOffsetMs = 0;
  /** Numbers instances and their addresses; a deleted one's is not used again. */
  bootedSoFar = 0;
  /** Counts what became of rebuilds, for those who need not look again when nothing did. */
  version = 0;
  /** Messages on their way to the conductor or to RabbitMQ while either is away. */
  readonly undelivered: (() => void)[] = [];
  /** Is told what truly happens. */
  tell: (text: string) => void = () => {};
  /** Called whenever an address may have begun or ceased to answer. */
  onPresence: () => void = () => {};
  listener: Listener = { evacuationTaken: () => {}, secondWriter: () => {} };
  /** Does the storage keep the process of this instance on that host from writing? */
  isKeptOut: (instance: Instance, host: string) => boolean = () => false;
  /** What befalls a rebuild for which nothing was ordered. */
  mishap: () => EvacuationTrouble | null = () => null;
  /** How the next boot of a host goes. */
  boots: () => Boot;
  readonly #byId = new Map<string, Instance>();

  constructor(clock: WorldClock, chance: Chance, settings: S) {
    this.clock = clock;
    this.chance = chance;
    this.settings = settings;
    this.startedAtMs = clock.nowMs;
    const { bootMs } = settings.durations;
    this.boots = () => ({ kernelMs: 0, agentsMs: 0, computeMs: 0, guestsMs: bootMs, formerGuestsMs: null });
    this.projects = settings.projects.map((name) => ({
      id: chance.newId('project', name).replaceAll('-', ''),
      name,
    }));
    this.addNetwork(settings.externalNetwork, { external: true, shared: true });
    for (const name of settings.privateNetworks) this.addNetwork(name, { external: false, shared: true });
  }

  /** A further network; its name may be that of another one. */
  addNetwork(name: string, kind: Pick<Network, 'external' | 'shared'>): Network {
    const number = this.networks.filter((network) => network.name === name).length;
    const id = this.chance.newId('network', number === 0 ? name : `${name}-${number + 1}`);
    const network = { id, name, ...kind };
    this.networks.push(network);
    return network;
  }

  /** True time. */
  get nowMs(): number {
    return this.clock.nowMs;
  }

  /** The moment by the cloud's clock. */
  get cloudNowMs(): number {
    return this.clock.nowMs + this.cloudOffsetMs;
  }

  /** Runs something later. */
  after(ms: number, work: () => void): Planned {
    return this.clock.after(ms, work);
  }

  /** A host by its service host; throws for an unknown one (a mistake of the test). */
  host(name: string): Host {
    const found = this.hosts.get(name);
    if (found === undefined) throw new Error(`no such host: ${name}`);
    return found;
  }

  /** An instance by id; undefined for one that was deleted. */
  find(id: string): Instance | undefined {
    return this.#byId.get(id);
  }

  /** An instance by id or name; throws for an unknown one (a mistake of the test). */
  instance(idOrName: string): Instance {
    const found = this.find(idOrName) ?? this.instances.find(({ name }) => name === idOrName);
    if (found === undefined) throw new Error(`no such instance: ${idOrName}`);
    return found;
  }

  /** An instance as an API request names it; Nova's own 404 for an unknown one. */
  requestedInstance(id: string): Instance {
    const found = this.find(id);
    if (found === undefined) throw new ApiRefusal(404, `Instance ${id} could not be found.`);
    return found;
  }

  /** Instances Nova has on a host. */
  instancesOn(host: string): Instance[] {
    return this.instances.filter((instance) => instance.host === host);
  }

  /** Takes in an instance that was made (instances.ts). */
  add(instance: Instance): void {
    this.instances.push(instance);
    this.#byId.set(instance.id, instance);
  }

  /** Strikes an instance off. */
  forget(instance: Instance): void {
    instance.deleted = true;
    this.#byId.delete(instance.id);
    this.instances.splice(this.instances.indexOf(instance), 1);
  }

  /** A new hypervisor, powered on, whose reports arrive. */
  addHost(part: HostPart): Host {
    const { nowMs, chance } = this;
    const { name, hypervisorName, address, zone, aggregates, vcpus, memoryMb } = part;
    const { isSpare, agents, agentIntervalMs } = part;
    const host: Host = {
      name,
      hypervisorName,
      address,
      agentHost: part.agentHost ?? name,
      cell: part.cell ?? 'cell1',
      zone,
      aggregates,
      vcpus,
      memoryMb,
      id: chance.newId('hypervisor', name),
      number: this.hosts.size + 1,
      createdAtMs: this.cloudNowMs,
      powered: true,
      poweredSinceMs: nowMs - upBeforeMs,
      frozen: false,
      controlHung: false,
      cut: { reports: false, management: false, guests: false, storage: false },
      up: { kernel: true, agents: true, compute: true },
      firewall: 'open',
      bmc: 'works',
      bmcFault: null,
      outlet: 'none',
      secondOutlet: 'none',
      hasKdump: false,
      crashMessagesUntilMs: Number.NEGATIVE_INFINITY,
      feeds: [
        { on: true, sinceMs: nowMs - upBeforeMs },
        { on: true, sinceMs: nowMs - upBeforeMs },
      ],
      agents: agents.map((binary) => this.#reporter(name, binary, agentIntervalMs)),
      compute: this.#reporter(name, 'nova-compute', this.settings.durations.reportIntervalMs),
      computeLife: 1,
      mailbox: [],
      formerGuests: new Set(),
      answersSinceMs: nowMs,
      mutedSinceMs: nowMs,
      reportsSinceMs: nowMs,
      sendsSinceMs: nowMs,
      disabled: isSpare,
      disabledReason: isSpare ? 'spare' : null,
      setAsideAtMs: 0,
      forcedDown: false,
      disabledTrait: isSpare,
      tracked: { atMs: nowMs, vms: 0, vcpus: 0, memoryMb: 0 },
    };
    this.hosts.set(name, host);
    this.placement.addProvider(host.id, hypervisorName);
    for (const aggregate of part.aggregates) this.aggregate(aggregate).hosts.push(name);
    return host;
  }

  /** The aggregate of that name, made if there is none. */
  aggregate(name: string): Aggregate {
    const known = this.aggregates.find((aggregate) => aggregate.name === name);
    if (known !== undefined) return known;
    const id = this.aggregates.length + 1;
    const made = { id, uuid: this.chance.newId('aggregate', name), name, hosts: [] };
    this.aggregates.push(made);
    return made;
  }

  #reporter(host: string, binary: string, intervalMs: number): Reporter {
    return {
      id: this.chance.newId(binary, host),
      binary,
      intervalMs,
      offsetMs: this.chance.between(0, intervalMs - 1),
      sinceMs: this.nowMs - pastMs,
      lastMs: this.nowMs - pastMs,
      broken: false,
      deleted: false,
    };
  }
}
