// The frame of a process: command line, signals, ordered close with a deadline, exit codes. Entry files fill it.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { systemClock } from '../ground/clock.ts';
import { errorText, OperationalError, ServiceError, UsageError } from '../ground/errors.ts';
import { listenedToByMany } from '../ground/listened-to.ts';
import { plain } from '../ground/plain.ts';
import { timings } from '../ground/timings.ts';
import { Secrets } from '../masks/secrets.ts';
import { keepDebuggerShut } from './debugger.ts';
import { spreadLastNet, stackOf } from './last-net.ts';
import { guardOutputs } from './outputs.ts';
import { type ServiceManager, serviceManagerOf } from './service-manager.ts';

/** 0 done, 1 failed, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** What every command of Sonny understands. */
export interface CommonOptions {
  readonly verbose: number;
  readonly config?: string;
  readonly check?: boolean;
}

/** How long a process may take to end after SIGTERM, whatever hangs; then it exits with 1. */
const closeDeadlineMs = timings.promise.endMs;

/**
 * For glibc, unless the environment says otherwise. A name is looked up by a thread that nobody can interrupt and that
 * exit() waits for: with the default limits and name servers that are away, a process ends half a minute late.
 */
const resolverOptions = 'timeout:1 attempts:2';

/** Writes a line on standard output, whatever names from outside are in it. */
export const printLine = (line: string): void => void process.stdout.write(`${plain(line)}\n`);

/** A commander command with the options all three share; -v counts. */
export function command(name: string, description: string): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return new Command(name)
    .description(description)
    .version(version, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print this help and exit')
    .option('-v, --verbose', 'say more: -v info, -vv debug (default: warnings)', (_, n: number) => n + 1, 0)
    .option('-c, --config <file>', 'configuration (default: ./config.ini, then ~/.config.ini)')
    .option('--check', 'check the configuration, reach every service it needs, print what was found, exit')
    .allowExcessArguments(false);
}

/** Handed to a process' body. */
export interface Frame {
  /** Aborted by SIGTERM, SIGINT or SIGHUP: finish or hand back what is in flight. */
  readonly stop: AbortSignal;
  /** Whoever reads a secret makes it known here: no output shows it then. */
  readonly secrets: Secrets;
  /** Learns that the process works, and that its loops come round. */
  readonly service: ServiceManager;
  /** Registers a step of the orderly close; steps run last registered first, each bounded by the deadline of all. */
  onClose(what: string, close: () => Promise<void> | void): void;
}

/**
 * Runs a process to its end and exits. Mistakes of the user (UsageError, wrong arguments) print one line each and end
 * with 2; failures a user can act on (OperationalError, ServiceError) print one line and end with 1; anything else is a
 * defect of Sonny and prints its stack, also where nobody caught it. No output shows a secret that the frame knows.
 */
export async function runProcess(name: string, body: (frame: Frame) => Promise<ExitCode>): Promise<never> {
  process.env.RES_OPTIONS ??= resolverOptions;
  const secrets = new Secrets();
  guardOutputs(secrets.mask);
  // Of a proxy that needs a login (HTTPS_PROXY): its errors may name the address.
  secrets.learnUrls(Object.values(process.env));
  const stopper = new AbortController();
  listenedToByMany(stopper.signal);
  const steps: { what: string; close: () => Promise<void> | void }[] = [];
  const say = (line: string) => process.stderr.write(`${name}: ${plain(line)}\n`);
  const service = serviceManagerOf({ env: process.env, pid: process.pid, clock: systemClock, say });
  let code: ExitCode = 1;
  let limited = false;
  const deadline = () => {
    if (limited) return;
    limited = true;
    setTimeout(() => {
      say(`did not end within ${closeDeadlineMs / 1000} s, giving up`);
      process.exit(code === 0 ? 1 : code);
    }, closeDeadlineMs).unref();
  };
  const stopBecause = (why: string) => {
    if (stopper.signal.aborted) return;
    stopper.abort(new OperationalError(why));
    service.stopping();
    deadline();
  };
  const onSignal = (signal: NodeJS.Signals) => stopBecause(`stopped by ${signal}`);
  let broken = false;
  const broke = new Promise<ExitCode>((resolve) => {
    spreadLastNet(say, () => {
      broken = true;
      stopBecause('an error that nobody caught');
      resolve(1);
    });
  });
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // The terminal closes (of tmux, of ssh): in order as well, so that locks and the lead are handed back at once.
  process.on('SIGHUP', onSignal);
  keepDebuggerShut(say);
  // The reader of our output went away (`ns4 --check | head`): nothing is left to tell, and no reason to crash.
  process.stdout.on('error', () => {});
  try {
    const frame: Frame = {
      stop: stopper.signal,
      secrets,
      service,
      onClose: (what, close) => steps.push({ what, close }),
    };
    code = await Promise.race([body(frame), broke]);
  } catch (thrown) {
    code = report(thrown, say);
  }
  service.stopping();
  deadline();
  for (const step of steps.reverse()) {
    try {
      await step.close();
    } catch (thrown) {
      say(`closing ${step.what}: ${errorText(thrown)}`);
    }
  }
  process.exit(broken ? 1 : code);
}

function report(thrown: unknown, say: (line: string) => void): ExitCode {
  if (thrown instanceof UsageError) {
    for (const line of thrown.lines) say(line);
    return 2;
  }
  if (thrown instanceof CommanderError) {
    // Commander has printed its own message (or the help or version asked for, code 0).
    return thrown.exitCode === 0 ? 0 : 2;
  }
  if (thrown instanceof OperationalError || thrown instanceof ServiceError) say(errorText(thrown));
  else say(stackOf(thrown));
  return 1;
}
