// The real processes, as users start them: compiled entry files, a config.ini in a directory of their own, signals.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../../src/shared/config/settings.ts';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { readEvents } from './events.ts';
import { redisClient, settingsOf } from './redis-client.ts';

export type ProcessName = 'ns4' | 'monitor' | 'sonny';
/** Whose processes are started: this tree's, or those of another build that is put to the same tests. */
export const build = resolve(process.env.SONNY_DIST ?? 'dist');

export type Ini = Record<string, Record<string, string | number>>;

/** One process that runs, or ran. */
export class Running {
  readonly child: ChildProcess;
  /** Everything it wrote, both streams. */
  output = '';
  readonly exited: Promise<number | null>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.output += chunk;
    });
    this.exited = new Promise((done) => child.once('exit', (code) => done(code)));
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends a signal; with a deadly one, waits for the end. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (!this.alive) return;
    this.child.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await this.exited;
  }
}

/** A directory with a config.ini, and the processes started in it. */
export class Household {
  readonly dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #running: Running[] = [];
  readonly #cloud: string;
  readonly #ini: Ini;
  readonly redis: Redis;

  constructor(options: {
    cloud: string;
    redisPort: number;
    ini: Ini;
    cloudsYaml: string;
    env?: NodeJS.ProcessEnv;
    /** How the test itself finds Redis; without it at redisPort. */
    redis?: RedisSettings;
  }) {
    this.dir = mkdtempSync(join(tmpdir(), 'sonny-household-'));
    this.#cloud = options.cloud;
    const ini: Ini = { REDIS: { host: '127.0.0.1', port: options.redisPort }, ...options.ini };
    this.#ini = ini;
    this.configure('config.ini', {});
    writeFileSync(join(this.dir, 'clouds.yaml'), options.cloudsYaml, { mode: 0o600 });
    const { OS_CLIENT_CONFIG_FILE: _file, OS_CLOUD: _cloud, ...env } = process.env;
    this.#env = { ...env, HOME: this.dir, ...options.env };
    const { cloud, redisPort: port } = options;
    this.redis = redisClient(options.redis ?? settingsOf({ host: '127.0.0.1', port }), cloud);
  }

  /** Writes a further configuration, to be named with -c: the one of all with other values for some keys. */
  configure(file: string, change: Ini): string {
    const sections = [...new Set([...Object.keys(this.#ini), ...Object.keys(change)])];
    const text = sections
      .map((section) => {
        const keys = Object.entries({ ...this.#ini[section], ...change[section] });
        return [`[${section}]`, ...keys.map(([k, v]) => `${k} = ${v}`), ''].join('\n');
      })
      .join('\n');
    writeFileSync(join(this.dir, file), text, { mode: 0o600 });
    return file;
  }

  /** Starts one of the three; it keeps running until stopped or its own end. */
  start(name: ProcessName, ...args: string[]): Running {
    const main = join(build, name, 'main.js');
    const running = new Running(
      spawn(process.execPath, [main, ...args], {
        cwd: this.dir,
        env: this.#env,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    this.#running.push(running);
    return running;
  }

  /** All events so far, oldest first. */
  events(): Promise<SonnyEvent[]> {
    return readEvents(this.redis, keysOf(this.#cloud));
  }

  /** Everything said so far, for a failing test's message. */
  async story(): Promise<string> {
    const events = await this.events().catch(() => []);
    const said = events.map(
      (e) => `${new Date(e.atMs).toISOString().slice(11, 23)} ${e.level.padEnd(7)} ${e.text}`,
    );
    return [...said, this.outputs()].join('\n');
  }

  /** The end of what each process wrote. */
  outputs(): string {
    return this.#running.map((r) => `--- pid ${r.child.pid}\n${r.output.slice(-4_000)}`).join('\n');
  }

  /** Waits for an event; fails with the whole story. */
  async waitForEvent(what: (event: SonnyEvent) => boolean, limitMs: number, after = 0): Promise<SonnyEvent> {
    const untilMs = Date.now() + limitMs;
    while (Date.now() < untilMs) {
      const found = (await this.events().catch(() => [])).slice(after).find(what);
      if (found) return found;
      await delay(100);
    }
    throw new Error(`no such event within ${limitMs} ms. The story so far:\n${await this.story()}`);
  }

  /** Has nobody who was started here ended? Who is gone says nothing either. */
  get allAlive(): boolean {
    return this.#running.every((running) => running.alive);
  }

  /** Ends everything started here and removes the directory. */
  async close(): Promise<void> {
    await Promise.all(
      this.#running.map(async (running) => {
        if (!running.alive) return;
        running.child.kill('SIGCONT');
        running.child.kill('SIGTERM');
        const gone = await Promise.race([running.exited.then(() => true), delay(12_000, false)]);
        if (!gone) await running.signal('SIGKILL');
      }),
    );
    this.redis.disconnect();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
