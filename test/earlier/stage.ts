// A stage on which a case of the review is played through public doors only, so that any build of Sonny can be put on
// it: the compiled processes, a config.ini with keys that every build knows, fence agents that are programs, a real
// Redis and the pretend cloud over HTTP. Judged is what was done to that cloud and to the devices.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  type BootOptions,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../simulator/simulator.ts';
import { jsonOrNull } from '../../src/shared/redis/json.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { build, Household, type Ini, type ProcessName, type Running } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** An event in any build's shape: the sentence is what both have. */
export interface Said {
  readonly kind: string;
  readonly level: string;
  readonly text: string;
  /** Of the end of a refusal: its name. */
  readonly of?: string;
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface StageOptions {
  readonly cloud?: SimulatorOptions;
  /** Sections of config.ini; their keys are added to those of the section that the stage has itself. */
  readonly ini?: Ini;
  /** Instances by name: on which host, and how they are. */
  readonly instances?: Readonly<Record<string, readonly [host: string, options?: BootOptions]>>;
  /** Hosts that have a fence device each; with any, a proof is required. */
  readonly fenced?: readonly string[];
  /** Default: hv04. */
  readonly spares?: readonly string[];
}

/** vm-1 to vm-3 on hv01, which answer from outside. */
const three = { 'vm-1': ['hv01'], 'vm-2': ['hv01'], 'vm-3': ['hv01'] } as const;

const vantagePoint = 'here';
/** A build of before the baseline remembers nobody, and needs nobody to have been heard. */
const remembers = existsSync(join(build, 'ns4/baseline'));
/** Whoever acts wrongly does so within a heartbeat period, two scans and the questions between them. */
const enoughRounds = 14;
const roundLimitMs = 10_000;
const playLimitMs = 250_000;
/** Processes start slowly where many do at once. */
const startLimitMs = 120_000;

/** Plays one case beside the others of its file; what fails is told with the whole story. */
export function play(title: string, options: StageOptions, story: (stage: Stage) => Promise<void>): void {
  test.concurrent(title, async () => {
    const stage = await Stage.open(options);
    try {
      await Promise.race([story(stage), tooLong()]);
    } catch (error) {
      if (error instanceof Error) error.message += `\nThe story:\n${await stage.story()}`;
      throw error;
    } finally {
      await stage.close();
    }
  });
}

/** Before the test's own limit, which would tell no story. */
async function tooLong(): Promise<never> {
  await delay(playLimitMs, null, { ref: false });
  throw new Error(`the stage: the case was not played within ${playLimitMs} ms`);
}

export class Stage {
  readonly simulator: Simulator;
  readonly redis: TestRedis;
  readonly household: Household;
  readonly devices = new Map<string, PretendDevice>();

  #ns4: Running | null = null;

  private constructor(simulator: Simulator, redis: TestRedis, options: StageOptions) {
    const { ini = {}, fenced = [] } = options;
    this.simulator = simulator;
    this.redis = redis;
    const own: Ini = {
      DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 3600 },
      OPENSTACK: { cloud: simulator.settings.cloud },
      SCAN: {
        ...{ hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5 },
        name: vantagePoint,
      },
      ...(fenced.length === 0 ? {} : { FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 5 } }),
    };
    const sections = [...new Set([...Object.keys(own), ...Object.keys(ini)])];
    this.household = new Household({
      cloud: simulator.settings.cloud,
      redisPort: redis.port,
      cloudsYaml: simulator.cloudsYaml(),
      ini: Object.fromEntries(sections.map((name) => [name, { ...own[name], ...ini[name] }])),
    });
    if (fenced.length === 0) return;
    for (const host of fenced) this.devices.set(host, new PretendDevice(join(this.household.dir, host)));
    const lines = fenced.map(
      (host) =>
        `  ${host}: {levels: [{agent: ${this.device(host).program}, options: {plug: ${host}, username: sonny}}]}`,
    );
    this.writeFencing(['hosts:', ...lines].join('\n'));
  }

  static async open(options: StageOptions): Promise<Stage> {
    const durations = { reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000 };
    const [simulator, redis] = await Promise.all([
      startSimulator({ ...options.cloud, durations: { ...durations, ...options.cloud?.durations } }),
      startRedis(),
    ]);
    for (const [name, [host, how]] of Object.entries(options.instances ?? three))
      await simulator.boot(name, host, how);
    // So that a scan of guests has controls.
    await simulator.boot('other', 'hv02');
    for (const spare of options.spares ?? ['hv04']) simulator.spare(spare);
    return new Stage(simulator, redis, options);
  }

  /** The fence device of a host. */
  device(host: string): PretendDevice {
    const device = this.devices.get(host);
    if (device === undefined) throw new Error(`${host} has no device on this stage`);
    return device;
  }

  /** Changes keys of the one cloud in clouds.yaml. */
  changeCloud(change: (cloud: Record<string, unknown>) => object): void {
    const { cloud } = this.simulator.settings;
    const text: unknown = parse(this.simulator.cloudsYaml());
    const { clouds } = text as { clouds: Record<string, Record<string, unknown>> };
    const changed = stringify({ clouds: { [cloud]: { ...clouds[cloud], ...change(clouds[cloud] ?? {}) } } });
    writeFileSync(join(this.household.dir, 'clouds.yaml'), changed, { mode: 0o600 });
  }

  writeFencing(text: string): void {
    writeFileSync(join(this.household.dir, 'fencing.yaml'), `${text}\n`, { mode: 0o600 });
  }

  /** ns4 and monitor run and have seen the cloud; whoever is named has been heard, where the build remembers that. */
  async watched(...heard: readonly string[]): Promise<void> {
    this.#ns4 = this.household.start('ns4');
    this.household.start('monitor');
    await this.until('the cloud is read', startLimitMs, () => this.#rounds() >= 2);
    if (!remembers) return;
    const addresses = heard.map((name) => this.simulator.addressOf(name) ?? '');
    const { redis } = this.household;
    const key = keysOf(this.simulator.settings.cloud).heard(vantagePoint);
    await this.until('everybody was heard', startLimitMs, async () =>
      (await redis.hmget(key, ...addresses)).every((atMs) => atMs !== null),
    );
  }

  /** Ends ns4 in good order, and starts another one after what happens `meanwhile`. */
  async restartNs4(meanwhile: () => Promise<void>): Promise<void> {
    await this.#ns4?.signal('SIGTERM');
    await meanwhile();
    this.#ns4 = this.household.start('ns4');
  }

  /** So many times more the hypervisors are read; or until something is so, where that comes before. */
  async round(times: number, isEnough: () => boolean = () => false): Promise<void> {
    const before = this.#rounds();
    const isOver = () => isEnough() || this.#rounds() >= before + times;
    await this.until(`${times} rounds`, times * roundLimitMs, isOver);
  }

  #rounds(): number {
    return this.simulator.requests.filter(({ path }) => path.includes('/os-hypervisors/detail')).length;
  }

  /** Waits for what the case needs. Not in time: the case was not played, which is another failure than a wrong step. */
  async until(what: string, limitMs: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const untilMs = Date.now() + limitMs;
    while (!(await isSo())) {
      if (Date.now() > untilMs) throw new Error(`the stage: ${what}: not within ${limitMs} ms`);
      await delay(50);
    }
  }

  /** Runs a command to its end; code null: it was still at it at the limit, and was ended. */
  async run(name: ProcessName, args: readonly string[], limitMs = 120_000): Promise<Ended> {
    const running = this.household.start(name, ...args);
    const code = await Promise.race([running.exited, delay(limitMs, null, { ref: false })]);
    if (running.alive) await running.signal('SIGKILL');
    return { code, output: running.output };
  }

  /** All that was said so far, oldest first; `by` the Sonny that has this Redis. */
  async said(by = this.household.redis): Promise<Said[]> {
    const entries = await by.xrange(keysOf(this.simulator.settings.cloud).events, '-', '+');
    return entries.map(([, fields]) => {
      const { facts, ...event } = jsonOrNull(fields[1] ?? '') as Said & { facts: Said };
      return { ...event, kind: facts.kind, ...(facts.of === undefined ? {} : { of: facts.of }) };
    });
  }

  /** Has anybody said so, after the first `from` sentences? */
  async says(words: RegExp, from = 0): Promise<boolean> {
    return (await this.said()).slice(from).some(({ text }) => words.test(text));
  }

  /** A recovery has come to its end, in the words of either revision; false: not within so many rounds. */
  async ends(rounds = 40): Promise<boolean> {
    let isEnded = false;
    const look = async () =>
      (await this.said()).some(({ kind }) => /^(recovery|evacuation)-ended$/.test(kind));
    for (let round = 0; round < rounds && !isEnded; round += 1) {
      await this.round(1);
      isEnded = await look();
    }
    return isEnded;
  }

  /** What was done to the cloud, to whom. */
  get done(): string[] {
    const { hosts, servers } = this.simulator.snapshot();
    return [
      ...[...this.devices].filter(([, device]) => device.offs > 0).map(([host]) => `${host} powered off`),
      ...Object.values(hosts)
        .filter((host) => host.forcedDown)
        .map(({ host }) => `${host} forced down`),
      ...this.moved.map((name) => `${name} evacuated`),
      ...Object.values(servers)
        .filter((server) => server.everTwoWriters)
        .map(({ name }) => `${name} TWICE`),
    ];
  }

  /** Instances for which Nova was asked. */
  get moved(): string[] {
    const { servers } = this.simulator.snapshot();
    return Object.values(servers).flatMap(({ name, evacuationsStarted }) =>
      evacuationsStarted > 0 ? [name] : [],
    );
  }

  /** How often Nova was asked for an instance. */
  asked(name: string): number {
    return this.simulator.snapshot().servers[name]?.evacuationsStarted ?? 0;
  }

  /** Judges: over enough rounds nobody does anything. `why`: for what reason nobody may. */
  async nothingIsDone(why: string, rounds = enoughRounds): Promise<void> {
    // Not at the first step, so that the story shows where it led.
    await this.round(rounds);
    expect(this.done, why).toEqual([]);
  }

  /** Judges: these are recovered onto a spare, each once and with one writer, before so many rounds have gone by. */
  async recovered(why: string, names: readonly string[], rounds = 30): Promise<void> {
    const back = () => {
      const { servers } = this.simulator.snapshot();
      return names.filter((name) => servers[name]?.host !== 'hv01' && servers[name]?.status !== 'REBUILD');
    };
    await this.round(rounds, () => back().length === names.length);
    expect(back(), why).toEqual(names);
    const { servers } = this.simulator.snapshot();
    for (const name of names)
      expect(servers[name], why).toMatchObject({ evacuationsStarted: 1, everTwoWriters: false });
  }

  async story(): Promise<string> {
    const said = await this.said().catch(() => []);
    const told = said.map(({ level, kind, text }) => `${level.padEnd(7)} ${kind}: ${text}`);
    return [...told, `done: ${this.done.join(', ')}`, this.household.outputs()].join('\n');
  }

  async close(): Promise<void> {
    await this.household.close();
    await this.redis.stop();
    await this.simulator.close();
  }
}
