// A small pretend cloud with the compiled processes on it: hv01 with three instances, hv04 the spare, a real Redis that
// keeps its data, hypervisors that really fall silent.
import { expect } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { heardAll } from './baseline.ts';
import { Household, type Ini } from './processes.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { settingsOf } from './redis-client.ts';
import type { RedisSet } from './redis-set.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}

const instances = ['vm-1', 'vm-2', 'vm-3'];

export class SmallCloud {
  readonly cloud = 'simulated';
  readonly keys = keysOf(this.cloud);
  readonly simulator: Simulator;
  readonly redis: TestRedis;
  readonly household: Household;

  private constructor(
    simulator: Simulator,
    redis: TestRedis,
    ini: Ini,
    set: RedisSet | undefined,
    login: Login | undefined,
  ) {
    this.simulator = simulator;
    this.redis = redis;
    this.household = new Household({
      cloud: this.cloud,
      redisPort: redis.port,
      ...(set ? { redis: set.settings } : {}),
      ...(login ? { redis: { ...settingsOf(redis), ...login } } : {}),
      cloudsYaml: simulator.cloudsYaml(),
      ini: {
        ...(set ? { REDIS: set.ini } : {}),
        ...ini,
        DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 3600 },
        OPENSTACK: { cloud: this.cloud },
        SCAN: { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5 },
      },
    });
  }

  /**
   * `ini`: further sections. `set`: to be used instead of a single Redis, and stopped by its owner. `own`: a single one that
   * asks for a login, with that of the test itself; stopped here. `rebuildMs`: how long Nova takes for an evacuation.
   */
  static async open(
    ini: Ini = {},
    set?: RedisSet,
    own?: { readonly server: TestRedis; readonly login: Login },
    rebuildMs?: number,
  ): Promise<SmallCloud> {
    const [simulator, redis] = await Promise.all([
      startSimulator({
        durations: {
          ...{ reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000 },
          ...(rebuildMs === undefined ? {} : { rebuildMs }),
        },
      }),
      set?.master ?? own?.server ?? startRedis({ aof: true }),
    ]);
    for (const name of instances) await simulator.boot(name, 'hv01');
    await simulator.boot('other', 'hv02');
    simulator.spare('hv04');
    return new SmallCloud(simulator, redis, ini, set, own?.login);
  }

  async close(): Promise<void> {
    await this.household.close();
    await this.redis.stop();
    await this.simulator.close();
  }

  /** The end of a recovery. */
  ended(limitMs = 40_000): Promise<SonnyEvent> {
    return this.household.waitForEvent((e) => e.facts.kind === 'recovery-ended', limitMs);
  }

  /** Until the monitor has had a whole inventory, and every ns4 heard whoever answers. */
  async watched(): Promise<void> {
    await heardAll(this.household.redis, this.cloud).catch(async (error) => {
      throw new Error(`${error}\n${await this.household.story()}`);
    });
  }

  /** Every instance of hv01 was evacuated exactly once and runs on hv04; nothing else was touched. */
  expectRecoveredOnce(): void {
    const { servers, hosts } = this.simulator.snapshot();
    for (const name of instances)
      expect(servers[name]).toMatchObject({
        host: 'hv04',
        status: 'ACTIVE',
        evacuationsStarted: 1,
        evacuationsCompleted: 1,
        everTwoWriters: false,
      });
    expect(servers.other).toMatchObject({ host: 'hv02', evacuationsStarted: 0 });
    expect(hosts.hv01).toMatchObject({
      forcedDown: true,
      status: 'disabled',
      state: 'down',
      disabledReason: expect.stringMatching(/^sonny resurrection on hv04 \(\S+ \S+\)$/),
    });
    expect(hosts.hv04).toMatchObject({ status: 'enabled' });
  }
}
