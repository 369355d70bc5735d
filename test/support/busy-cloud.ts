// Load on a real OpenStack in which nobody dies: instances come, go, stop and migrate, and network agents stand still for
// a while, each by itself and now and then all at once, so that their reports come late.
import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../src/shared/ground/errors.ts';
import type { Random } from '../simulation/random.ts';
import { cloudTool } from './cloud-tool.ts';
import type { Testbed } from './testbed.ts';

export interface Load {
  /** An agent stands still for a seventh of this up to all of it, ms. */
  readonly latestMs: number;
  /** From the end of one order of a user to the next, ms. */
  readonly orderEveryMs: number;
  /** Where instances are; no other host gets any. */
  readonly hosts: readonly string[];
}

interface Instance {
  readonly id: string;
  host: string;
  runs: boolean;
}

const mostInstances = 6;
/** So many of a host's pauses, as when a message queue is slow, are everybody's. */
const allAtOnce = 0.1;

export class BusyCloud {
  /** What was ordered, by kind, and how often OpenStack did it. */
  readonly orders = new Map<string, { asked: number; done: number }>();
  readonly pauses = { single: 0, allAtOnce: 0, longestMs: 0 };
  /** The last thing that went wrong with an order, for whoever reads the figures. */
  lastTrouble = '';
  readonly #testbed: Testbed;
  readonly #random: Random;
  readonly #load: Load;
  readonly #ending = new AbortController();
  readonly #instances: Instance[] = [];
  /** Who stands still now: a host that does is not taken twice. */
  readonly #still = new Set<string>();
  #working: Promise<unknown> = Promise.resolve();

  constructor(testbed: Testbed, random: Random, load: Load) {
    this.#testbed = testbed;
    this.#random = random;
    this.#load = load;
  }

  /** Begins with a pause of all agents, the longest, so that the shortest of tests has one. */
  start(): void {
    const hosts = Object.keys(this.#testbed.env.hypervisors);
    const delays = async () => {
      await this.#standStill(hosts, hosts, this.#load.latestMs);
      await Promise.all(hosts.map((host) => this.#delay(host, hosts)));
    };
    this.#working = Promise.all([this.#order(), delays()]);
  }

  /** Ends the load with every agent running again; throws when the test bed's tool failed. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#working;
  }

  /** False when the load is to end. */
  async #goesOnAfter(ms: number): Promise<boolean> {
    await delay(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
    return !this.#ending.signal.aborted;
  }

  async #delay(host: string, all: readonly string[]): Promise<void> {
    const { latestMs } = this.#load;
    while (await this.#goesOnAfter(this.#random.between(latestMs / 7, latestMs))) {
      const hosts = this.#random.chance(allAtOnce) ? all : [host];
      await this.#standStill(hosts, all, this.#random.between(latestMs / 7, latestMs));
    }
  }

  async #standStill(hosts: readonly string[], all: readonly string[], forMs: number): Promise<void> {
    const taken = hosts.filter((one) => !this.#still.has(one));
    this.pauses[hosts === all ? 'allAtOnce' : 'single'] += 1;
    this.pauses.longestMs = Math.max(this.pauses.longestMs, forMs);
    for (const one of taken) this.#still.add(one);
    await Promise.all(taken.map((one) => cloudTool('hang', one, '--agent')));
    await this.#goesOnAfter(forMs);
    await Promise.all(taken.map((one) => cloudTool('revive', one, '--agent')));
    for (const one of taken) this.#still.delete(one);
  }

  async #order(): Promise<void> {
    while (await this.#goesOnAfter(this.#load.orderEveryMs)) {
      const [kind, work] = this.#next();
      const count = this.orders.get(kind) ?? { asked: 0, done: 0 };
      this.orders.set(kind, count);
      count.asked += 1;
      try {
        await work();
        count.done += 1;
      } catch (error) {
        this.lastTrouble = `${kind}: ${errorText(error)}`;
      }
    }
  }

  /** What a user wants next: an instance when there are few, then anything. */
  #next(): [string, () => Promise<unknown>] {
    const running = this.#instances.filter(({ runs }) => runs);
    const stopped = this.#instances.find(({ runs }) => !runs);
    const boot = ['boot', () => this.#boot()] as [string, () => Promise<unknown>];
    if (running.length < 2) return boot;
    const one = this.#random.pick(running);
    const kinds: [string, () => Promise<unknown>][] = [
      ['stop', () => this.#stopOne(one)],
      ['migrate live', () => this.#migrate(one)],
      ['delete', () => this.#delete(one)],
    ];
    if (stopped !== undefined) kinds.push(['start', () => this.#startOne(stopped)]);
    if (this.#instances.length < mostInstances) kinds.push(boot, boot);
    return this.#random.pick(kinds);
  }

  async #boot(): Promise<void> {
    const host = this.#random.pick(this.#load.hosts);
    const [id] = await this.#testbed.boot('user', host);
    if (id !== undefined) this.#instances.push({ id, host, runs: true });
  }

  async #stopOne(one: Instance): Promise<void> {
    one.runs = false;
    await cloudTool('os', 'server', 'stop', one.id);
  }

  async #startOne(one: Instance): Promise<void> {
    await cloudTool('os', 'server', 'start', one.id);
    one.runs = true;
  }

  async #delete(one: Instance): Promise<void> {
    this.#instances.splice(this.#instances.indexOf(one), 1);
    await cloudTool('os', 'server', 'delete', one.id);
  }

  /** Nova picks nobody but whom it is told: the spare is disabled, and stays empty. */
  async #migrate(one: Instance): Promise<void> {
    const to = this.#random.pick(this.#load.hosts.filter((host) => host !== one.host));
    const where = ['--live-migration', '--host', to, '--os-compute-api-version', '2.30'];
    await cloudTool('os', 'server', 'migrate', ...where, one.id);
    await this.#testbed.until(
      `${one.id} to be on ${to}`,
      async () =>
        (await this.#testbed.cloud.listServers(new AbortController().signal, to)).some(
          (s) => s.id === one.id,
        ),
      60_000,
      1_000,
    );
    one.host = to;
  }
}
