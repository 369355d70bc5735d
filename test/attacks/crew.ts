// The three compiled processes before a pretend cloud, pretend fence devices and a pretend Slack, each started again by a
// supervisor when it ends in order; and the judge of what an attack did to them.
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { vantagePointOf } from '../../src/shared/config/load.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { heardAll } from '../support/baseline.ts';
import { PretendDevice } from '../support/pretend-device.ts';
import { Household, type Ini, type ProcessName, type Running } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const names = ['ns4', 'monitor', 'sonny'] as const;
/** What no log has in it, whatever happened: nobody looked before something was taken for what it was not. */
export const crashWords =
  /^\s+at .+:\d+:\d+\)?$|Unhandled|uncaught|Cannot (read|set|convert|destructure)|is not (a function|iterable|a constructor)|Maximum call stack|heap out of memory/im;
/** A line of a log is for people. */
const longestLine = 20_000;
const mostRestarts = 30;

interface Options {
  /** Do they sign what they write? */
  readonly key?: boolean;
  readonly ini?: Ini;
  readonly computes?: number;
}

/** hv01 has three instances, hv02 and hv03 one each; hv04 and hv05 are spares. */
export class Crew {
  readonly cloud = 'simulated';
  readonly keys = keysOf(this.cloud);
  readonly simulator: Simulator;
  readonly server: TestRedis;
  readonly slack: Slack;
  readonly household: Household;
  readonly devices = new Map<string, PretendDevice>();
  /** Who ended, how, and with which last words. */
  readonly ends: { readonly name: ProcessName; readonly code: number | null; readonly said: string }[] = [];
  /** What was done last, for whoever reads why it failed. */
  readonly done: string[] = [];
  /** The longest that a whole round took to come, ms. */
  longestMs = 0;
  readonly #outputs: Running[] = [];
  #isOver = false;

  private constructor(simulator: Simulator, server: TestRedis, slack: Slack, options: Options) {
    this.simulator = simulator;
    this.server = server;
    this.slack = slack;
    const own: Ini = {
      DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 1 },
      OPENSTACK: { cloud: this.cloud },
      SCAN: { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5 },
      FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 5 },
      SLACK: {
        ...{ token: slack.botToken, app_token: slack.appToken, channel: 'ops', api_url: slack.apiUrl },
        clouds: this.cloud,
      },
      ...(options.key ? { REDIS: { host: '127.0.0.1', port: server.port, key_file: 'sonny.key' } } : {}),
    };
    this.household = new Household({
      ...{ cloud: this.cloud, redisPort: server.port, cloudsYaml: simulator.cloudsYaml() },
      ini: { ...own, ...options.ini },
    });
    this.#layFencing();
  }

  static async open(options: Options = {}): Promise<Crew> {
    const [simulator, server, slack] = await Promise.all([
      startSimulator({
        computes: options.computes ?? 5,
        durations: { reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000 },
      }),
      startRedis(),
      startSlack({ channels: ['ops'] }),
    ]);
    for (const name of ['vm-1', 'vm-2', 'vm-3']) await simulator.boot(name, 'hv01');
    await simulator.boot('other-2', 'hv02');
    await simulator.boot('other-3', 'hv03');
    for (const host of ['hv04', 'hv05']) simulator.spare(host);
    const crew = new Crew(simulator, server, slack, options);
    if (options.key) {
      const made = crew.household.start('ns4', '--make-key', 'sonny.key');
      expect(await made.exited, made.output).toBe(0);
    }
    return crew;
  }

  #layFencing(): void {
    const hosts = this.simulator.hosts.map((host) => {
      const device = new PretendDevice(join(this.household.dir, `bmc-${host}`));
      this.devices.set(host, device);
      return `  ${host}: {levels: [{agent: ${device.program}, options: {plug: "1"}}]}\n`;
    });
    writeFileSync(join(this.household.dir, 'fencing.yaml'), `hosts:\n${hosts.join('')}`, { mode: 0o600 });
  }

  /** Starts all three, and waits until everybody who lives was heard by every vantage point; without `heard` by ns4 alone. */
  async start({ heard = true } = {}): Promise<void> {
    for (const name of names) this.#keep(name);
    if (!heard) {
      const own = this.keys.heard(vantagePointOf(hostname()));
      // Each host, and each instance.
      const all = this.simulator.hosts.length + 5;
      await until(
        () => this.household.redis.hlen(own),
        (count) => count >= all,
        90_000,
      );
      return;
    }
    await heardAll(this.household.redis, this.cloud, 90_000).catch(async (error) => {
      throw new Error(`${error}\n${await this.household.story()}`);
    });
  }

  /** Runs it, and again when it ended in order: with code 1 and one line that says why. */
  #keep(name: ProcessName): void {
    const running = this.household.start(name, '-v');
    this.#outputs.push(running);
    void running.exited.then(async (code) => {
      if (this.#isOver) return;
      const said = running.output.trimEnd().split('\n').at(-1) ?? '';
      this.ends.push({ name, code, said });
      // As the line itself says to an operator.
      if (said.includes(`redis-cli del ${this.keys.monitorState}`))
        await this.household.redis.del(this.keys.monitorState);
      if (code === 1 && this.ends.length <= mostRestarts) this.#keep(name);
    });
  }

  /** Notes what is done to them. */
  note(what: string): void {
    this.done.push(what);
    if (this.done.length > 40) this.done.shift();
  }

  /** Everything that any of them wrote. */
  get output(): string {
    return this.#outputs.map(({ output }) => output).join('\n');
  }

  /**
   * The judge: a whole round comes to its end (the monitor publishes, ns4 refreshes what it reads), sonny answers, nobody ended
   * but in order, nothing was moved or powered off that lives. `told`: with the last steps and the story when not so.
   */
  async goesOn(limitMs = 120_000): Promise<void> {
    const sinceMs = Date.now();
    const { redis } = this.household;
    const later = async (key: string, field: string): Promise<boolean> => {
      const text = await redis.get(key).catch(() => null);
      try {
        return Number((JSON.parse(text ?? 'null') as Record<string, unknown>)[field]) > sinceMs;
      } catch {
        return false;
      }
    };
    const wanted = async (): Promise<string[]> => [
      ...((await later(this.keys.status, 'atMs')) ? [] : ['the monitor publishes']),
      ...((await later(this.keys.hosts, 'collectedAtMs')) ? [] : ['ns4 refreshes hosts']),
    ];
    let missing = await wanted();
    while (missing.length > 0 && Date.now() - sinceMs < limitMs) {
      await delay(50);
      missing = await wanted();
    }
    this.longestMs = Math.max(this.longestMs, Date.now() - sinceMs);
    if (missing.length > 0) await this.fail(`not within ${limitMs} ms: ${missing.join(', ')}`);
    await this.sonnyAnswers();
    await this.judgeWords();
  }

  async sonnyAnswers(): Promise<void> {
    const question = await within(this.slack.say('status', { mention: true }), 20_000).catch(() => null);
    if (question === null) return this.fail('sonny does not acknowledge');
    await this.slack
      .posted((post) => post.threadTs === question.ts, 20_000)
      .catch(() => this.fail('sonny does not answer'));
  }

  /** No process ended otherwise than in order, and no log tells of something that nobody foresaw. */
  async judgeWords(): Promise<void> {
    for (const { name, code, said } of this.ends)
      if (code !== 1 || !said.includes(`${name}: `))
        await this.fail(`${name} ended with ${code}: ${said.slice(0, 500)}`);
    for (const line of this.output.split('\n')) {
      if (crashWords.test(line)) await this.fail(`a log says: ${line.slice(0, 800)}`);
      if (line.length > longestLine)
        await this.fail(`a line of ${line.length} characters: ${line.slice(0, 300)}`);
    }
  }

  /** Nobody who lives lost his power or an instance. */
  judgeTruth(dead: readonly string[] = []): void {
    const { servers, migrations } = this.simulator.snapshot();
    const isWrong = migrations.filter(({ source }) => !dead.includes(source));
    expect(isWrong, this.done.join('\n')).toEqual([]);
    for (const [host, device] of this.devices)
      if (!dead.includes(host)) expect(device.offs, `${host} was powered off`).toBe(0);
    for (const [name, { everTwoWriters }] of Object.entries(servers))
      expect(everTwoWriters, `${name} had two writers`).toBe(false);
  }

  async fail(why: string): Promise<never> {
    const ends = this.ends.map(({ name, code, said }) => `${name} ended with ${code}: ${said.slice(0, 300)}`);
    const story = (await this.household.story()).split('\n').map((line) => line.slice(0, 400));
    const what = [`${why}`, 'Done last:', ...this.done.slice(-15), 'Ends:', ...ends, 'Story:', ...story];
    throw new Error(what.join('\n'));
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.household.close();
    await Promise.all([this.slack.close(), this.server.stop(), this.simulator.close()]);
  }
}

export async function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const late = delay(limitMs, undefined, { ref: false }).then(() => {
    throw new Error(`not within ${limitMs} ms`);
  });
  return Promise.race([promise, late]);
}
