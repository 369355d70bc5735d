// A Debian root with a systemd of its own in it, by systemd-nspawn: for tests of the units, as root alone can run them.
// It shares the machine's network, so that what a test starts on the loopback is in reach.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './raw-api.ts';

const run = promisify(execFile);

/** What a command ended with. */
export interface Ran {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

export class BootedRoot {
  readonly #dir: string;
  readonly #nspawn: ChildProcess;
  readonly #pid: number;

  private constructor(dir: string, nspawn: ChildProcess, pid: number) {
    this.#dir = dir;
    this.#nspawn = nspawn;
    this.#pid = pid;
  }

  /** Boots the root in `dir`, as debootstrap makes it with systemd and dbus. */
  static async boot(dir: string): Promise<BootedRoot> {
    const nspawn = spawn(
      'systemd-nspawn',
      ['--quiet', '-D', dir, '--register=no', '--keep-unit', '--console=pipe', '--boot'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    try {
      const pid = await until(
        () => systemdBelow(nspawn.pid),
        (found) => found !== null,
        30_000,
      );
      const root = new BootedRoot(dir, nspawn, pid ?? 0);
      await until(
        () => root.run('systemctl', 'is-system-running'),
        ({ output }) => /^(running|degraded)/m.test(output),
        60_000,
      );
      return root;
    } catch (error) {
      nspawn.kill('SIGKILL');
      throw error;
    }
  }

  /** Writes a file in it; root's, with the mode, as are its new folders. */
  write(path: string, text: string, mode = 0o600): void {
    mkdirSync(dirname(join(this.#dir, path)), { recursive: true });
    writeFileSync(join(this.#dir, path), text, { mode });
    chmodSync(join(this.#dir, path), mode);
  }

  /** Copies a file of this machine into it. */
  copy(from: string, to: string): void {
    mkdirSync(dirname(join(this.#dir, to)), { recursive: true });
    copyFileSync(from, join(this.#dir, to));
  }

  remove(path: string): void {
    rmSync(join(this.#dir, path), { recursive: true, force: true });
  }

  /** Runs a command in it as root; does not reject. */
  async run(program: string, ...args: string[]): Promise<Ran> {
    const enter = ['-t', `${this.#pid}`, '-m', '-u', '-i', '-p', '-C', '--', program, ...args];
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
    return new Promise((resolve) =>
      execFile('nsenter', enter, { env, cwd: '/', timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
      ),
    );
  }

  /** One property of a unit. */
  async show(unit: string, property: string): Promise<string> {
    return (await this.run('systemctl', 'show', '--value', '-p', property, unit)).output.trim();
  }

  /** What a unit wrote to the journal since the boot. */
  async journal(unit: string): Promise<string> {
    return (await this.run('journalctl', '-b', '-o', 'cat', '-u', unit)).output;
  }

  /** Powers it off. */
  async close(): Promise<void> {
    await this.run('systemctl', 'poweroff');
    const gone = new Promise((resolve) => this.#nspawn.once('exit', resolve));
    const timer = setTimeout(() => this.#nspawn.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(timer);
  }
}

/** The first process in the root, by its id out here; nspawn has other children for a moment. */
async function systemdBelow(nspawn: number | undefined): Promise<number | null> {
  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', `${nspawn}`]).catch(() => ({
    stdout: '',
  }));
  const found = /^\s*(\d+) systemd$/m.exec(stdout);
  return found === null ? null : Number(found[1]);
}
