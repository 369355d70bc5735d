// What the service manager (systemd) hears of this process: that it works, that its loops come round, that it ends. The
// protocol of sd_notify(3). Without NOTIFY_SOCKET in the environment nothing is told, and nothing is run.
//
// Node cannot send to a datagram socket of the machine. systemd-notify(1) can: it is there wherever somebody listens,
// needs no native addon, and returns only when it was heard (since systemd 246), so that its sender is still known then.
// It is a process of its own, hence NotifyAccess=all in the units.
import { execFile } from 'node:child_process';
import type { Clock } from '../ground/clock.ts';
import { errorText } from '../ground/errors.ts';

/** Called by a loop each time it comes round; with the pause that it makes now, if it may be a long one. */
type Beat = (pauseMs?: number) => void;

export interface ServiceManager {
  /**
   * A loop without which the process is of no use. While it has not come round for `mostMs` besides the pause it told of,
   * the service manager is not told that all is well, and ends the process after WatchdogSec.
   */
  loop(what: string, mostMs: number): Beat;
  /** The process works; what it says then counts once, and the loops from then on. */
  ready(status: string): void;
  /** The process ends. */
  stopping(): void;
}

/** Says some lines of the protocol; resolves when they were heard. Rejects when they cannot be said. */
export type Notify = (lines: readonly string[]) => Promise<void>;

interface ServiceManagerParts {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly clock: Clock;
  /** For whoever reads the log: why it will be ended, or that nothing can be told. */
  say(line: string): void;
  /** In the place of systemd-notify. */
  readonly notify?: Notify;
}

/** systemd-notify waits for 5 s to be heard. */
const notifyMs = 6_000;
/** As sd_watchdog_enabled(3) recommends, and once more. */
const tellsPerWatchdog = 3;

const nobody: ServiceManager = { loop: () => () => {}, ready: () => {}, stopping: () => {} };

/**
 * The service manager that the environment names. Its variables are taken out of there: no program that is started
 * here (fence agents, helpers) has a say in whether this process is well.
 */
export function serviceManagerOf(parts: ServiceManagerParts): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = parts.env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete parts.env[name];
  if (socket === undefined || socket === '') return nobody;
  const isMeant = pid === undefined || Number(pid) === parts.pid;
  const watchdogMs = isMeant && Number(usec) > 0 ? Number(usec) / 1_000 : null;
  return new Systemd({ notify: systemdNotify(socket), ...parts }, watchdogMs);
}

const systemdNotify =
  (socket: string): Notify =>
  (lines) =>
    new Promise((resolve, reject) => {
      const { PATH = '/usr/bin:/bin' } = process.env;
      const env = { PATH, NOTIFY_SOCKET: socket };
      execFile('systemd-notify', [...lines], { env, timeout: notifyMs, killSignal: 'SIGKILL' }, (error) =>
        error === null ? resolve() : reject(error),
      );
    });

interface Loop {
  readonly what: string;
  readonly mostMs: number;
  cameRoundAtMs: number;
  pauseMs: number;
}

class Systemd implements ServiceManager {
  readonly #parts: ServiceManagerParts & { readonly notify: Notify };
  /** Null: the service manager watches nothing. */
  readonly #watchdogMs: number | null;
  readonly #loops: Loop[] = [];
  readonly #ended = new AbortController();
  #isReady = false;
  #isTold = false;
  #standing = '';

  constructor(parts: ServiceManagerParts & { readonly notify: Notify }, watchdogMs: number | null) {
    this.#parts = parts;
    this.#watchdogMs = watchdogMs;
  }

  loop(what: string, mostMs: number): Beat {
    const { clock } = this.#parts;
    const loop: Loop = { what, mostMs, cameRoundAtMs: clock.steadyMs(), pauseMs: 0 };
    this.#loops.push(loop);
    return (pauseMs = 0) => {
      loop.cameRoundAtMs = clock.steadyMs();
      loop.pauseMs = pauseMs;
    };
  }

  ready(status: string): void {
    if (this.#isReady || this.#ended.signal.aborted) return;
    this.#isReady = true;
    void this.#tell([`STATUS=${status}`, 'READY=1']).then(() => this.#keepTelling(status));
  }

  stopping(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new Error('the process ends'));
    void this.#tell(['STOPPING=1']);
  }

  async #keepTelling(status: string): Promise<void> {
    if (this.#watchdogMs === null) return;
    const { signal } = this.#ended;
    try {
      for (;;) {
        await this.#tellAlive(status);
        await this.#parts.clock.sleep(this.#watchdogMs / tellsPerWatchdog, signal);
      }
    } catch {
      // The process ends.
    }
  }

  async #tellAlive(status: string): Promise<void> {
    const standing = this.#overdue();
    if (standing !== '' && this.#standing === '') {
      this.#parts.say(`${standing}; the service manager is not told that all is well until that ends`);
      await this.#tell([`STATUS=${standing}`]);
    }
    if (standing === '')
      await this.#tell(['WATCHDOG=1', ...(this.#standing === '' ? [] : [`STATUS=${status}`])]);
    this.#standing = standing;
  }

  /** Empty: all loops come round. */
  #overdue(): string {
    const nowMs = this.#parts.clock.steadyMs();
    return this.#loops
      .map(({ what, mostMs, cameRoundAtMs, pauseMs }) => ({
        ...{ what, sinceMs: nowMs - cameRoundAtMs },
        isLate: nowMs - cameRoundAtMs - pauseMs > mostMs,
      }))
      .filter(({ isLate }) => isLate)
      .map(({ what, sinceMs }) => `${what} stands still since ${Math.round(sinceMs / 1_000)} s`)
      .join(', ');
  }

  /** That it cannot be told is said once: the service manager acts on it by itself. */
  async #tell(lines: readonly string[]): Promise<void> {
    const { notify, say } = this.#parts;
    try {
      await notify(lines);
    } catch (error) {
      if (!this.#isTold) say(`the service manager cannot be told ${lines.at(-1)}: ${errorText(error)}`);
      this.#isTold = true;
    }
  }
}
