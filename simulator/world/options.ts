// What a world is told at its start: its names, and how long things take.

/** How long things take. */
export interface Durations {
  /** nova-compute and network agents report this often. */
  readonly reportIntervalMs: number;
  /** No report for this long: Nova calls the service down. */
  readonly serviceDownMs: number;
  /** No heartbeat for this long: Neutron calls the agent dead. */
  readonly agentDownMs: number;
  /** nova-compute counts its guests anew this often. */
  readonly resourcesIntervalMs: number;
  /** From the first answer of a machine that is powered on to the start of its nova-compute. */
  readonly bootMs: number;
  /** From an evacuate request to the scheduler's verdict. */
  readonly scheduleMs: number;
  /** From there to the instance's return. */
  readonly rebuildMs: number;
  /** A rebuild may be quicker, down to this; default: none is. */
  readonly rebuildLeastMs?: number;
  /** How long an evacuated instance reads ACTIVE with its old host. */
  readonly oldHostShownMs: number;
  readonly hardRebootMs: number;
  /** Stop, start, pause and their like. */
  readonly powerChangeMs: number;
  /** From a port's binding to its being ACTIVE. */
  readonly portActiveMs: number;
  /** From an agent's return to a failed binding's repair. */
  readonly rebindMs: number;
  /** How long Nova blocks when a dead nova-compute that it calls up is disabled. */
  readonly disableDeadBlockMs: number;
  /** How long everyone needs to find RabbitMQ or the conductor again. */
  readonly reconnectMs: number;
}

/** As measured on a real cloud, but for `disableDeadBlockMs` (there 60 s) and `bootMs` (a machine, minutes). */
export const measured: Durations = {
  reportIntervalMs: 2_000,
  serviceDownMs: 8_000,
  agentDownMs: 8_000,
  resourcesIntervalMs: 10_000,
  bootMs: 5_000,
  scheduleMs: 400,
  rebuildMs: 800,
  oldHostShownMs: 70,
  hardRebootMs: 270,
  powerChangeMs: 300,
  portActiveMs: 500,
  rebindMs: 3_000,
  disableDeadBlockMs: 5_000,
  reconnectMs: 3_000,
};

/** From power on, each by itself: the first answer, the agents' first report, nova-compute's, and its guests' start. */
export interface Boot {
  readonly kernelMs: number;
  readonly agentsMs: number;
  readonly computeMs: number;
  readonly guestsMs: number;
  /**
   * The operating system starts whatever ran when the machine went down, without asking Nova (libvirt-guests with
   * ON_BOOT=start, or domains with autostart). Null: it starts nothing.
   */
  readonly formerGuestsMs: number | null;
}

export interface WorldSettings {
  /** Names of projects; the first is that of the login, the second that of booted instances. */
  readonly projects: readonly string[];
  readonly externalNetwork: string;
  /** Networks besides the external one; addresses on them never answer from outside. */
  readonly privateNetworks: readonly string[];
  /** The address on the external network, or the floating one, of the instance with this number. */
  readonly outsideAddress: (instance: number) => string;
  readonly durations: Durations;
}
