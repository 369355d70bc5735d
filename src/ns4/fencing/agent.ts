// Runs one fence agent once, by the ClusterLabs protocol: key=value lines on its standard input, the outcome in its
// exit code. Nothing but those lines carries a secret; what it says is masked and bounded; whatever it does, it ends in
// time.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../shared/ground/errors.ts';
import { maskOf, shortestSecret } from '../../shared/masks/secrets.ts';
import { secretsOf } from './option-secrets.ts';
import type { Device } from './plan.ts';
import { agentPath } from './programs.ts';

export type AgentAction = 'off' | 'on' | 'status';

/** What the fence agents' own logger puts around their words, which nobody needs at three in the morning. */
const noise = /^[\d-]{10} [\d:]{8},\d{3} [A-Z]+: (?:Please use '-h' for usage\s*)?/gm;

export interface AgentCall {
  readonly device: Pick<Device, 'program' | 'options'>;
  readonly action: AgentAction;
  readonly timeoutMs: number;
  /** Ends the agent; `runAgent` then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /**
   * The last word before the agent is told what to do. It is started already and waits for its input, so that nothing
   * slow lies between this and the action. Rejects: the agent is ended untold, and so does `runAgent`.
   */
  readonly beforeTelling?: () => Promise<void>;
}

export type AgentOutcome =
  | { readonly kind: 'ended'; readonly code: number | null; readonly said: string }
  | { readonly kind: 'timed-out'; readonly said: string }
  | { readonly kind: 'cannot-run'; readonly said: string };

/** Between SIGTERM and SIGKILL, for agents that log out of a device. */
const graceMs = 1_000;
/** A killed agent's end is awaited this long; its output, which a runaway child may hold open, no longer. */
const endMs = 2_000;
/** Kept of what an agent writes; more is read and dropped. */
const mostBytes = 64 * 1024;
/** Shown of it. */
const longestSaid = 400;
/** Looked at for what is shown. */
const mostLooked = 4_000;
/** More than any form of a secret takes. */
const mostCut = 4_096;

/**
 * Runs an agent to its end. Resolves whatever it does; rejects only when `signal` is aborted or `beforeTelling`
 * rejects, and then, too, only after the agent and all it started are ended.
 */
export async function runAgent(call: AgentCall): Promise<AgentOutcome> {
  const { device, action, signal } = call;
  signal.throwIfAborted();
  const input = inputOf(device.options, action);
  if (input === null) return { kind: 'cannot-run', said: 'an option of it would be two lines for its agent' };
  const child = spawn(device.program, [], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own, so that what the agent started can be ended with it.
    detached: true,
    cwd: '/',
    env: environment(),
  });
  const output = new Output(child);
  const ended = endOf(child);
  // The agent may be gone before it read everything; its exit code tells then.
  child.stdin.on('error', () => {});
  const over = new AbortController();
  let told = false;
  let inTime: boolean;
  try {
    await Promise.race([call.beforeTelling?.(), aborted(signal, over.signal)]);
    signal.throwIfAborted();
    told = true;
    child.stdin.end(input);
    const limit = delay(call.timeoutMs, false, { signal: over.signal }).catch(() => false);
    inTime = await Promise.race([
      ended.then(() => true),
      limit,
      aborted(signal, over.signal).then(() => false),
    ]);
    signal.throwIfAborted();
  } catch (error) {
    // One that is not told yet must not find its input closed: the default action of fence agents is a reboot.
    if (!told) killGroup(child, 'SIGKILL');
    await endGroup(child, ended);
    throw error;
  } finally {
    over.abort();
  }
  if (!inTime) {
    await endGroup(child, ended);
    return { kind: 'timed-out', said: output.masked(device.options) };
  }
  const failure = await ended;
  // Whatever it left behind in its group has no business any more.
  killGroup(child, 'SIGKILL');
  await Promise.race([output.complete, delay(endMs, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  return failure === null
    ? { kind: 'ended', code: child.exitCode, said: output.masked(device.options) }
    : { kind: 'cannot-run', said: errorText(failure) };
}

type Agent = ChildProcessByStdio<Writable, Readable, Readable>;

/** Only what programs need to run: an agent inherits no token and no proxy of ours. */
function environment(): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '/' } = process.env;
  // Python's warnings about its own libraries would crowd out what the agent has to say.
  return { PATH: agentPath(PATH), HOME, LANG: 'C.UTF-8', PYTHONWARNINGS: 'ignore' };
}

/** Null where one option would become two lines: fencing.yaml has none such, and whoever made this device up is wrong. */
function inputOf(options: Device['options'], action: AgentAction): string | null {
  const lines = Object.entries({ ...options, action }).map(([key, value]) => `${key}=${value}`);
  return lines.some((line) => /\p{Cc}/u.test(line)) ? null : `${lines.join('\n')}\n`;
}

/** Resolves with null when it ended, with the error when it never began. */
function endOf(child: Agent): Promise<Error | null> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve(null));
    child.once('error', resolve);
  });
}

/** Resolves when `signal` is aborted; forgets about it when `over` is. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over }),
  );
}

async function endGroup(child: Agent, ended: Promise<unknown>): Promise<void> {
  killGroup(child, 'SIGTERM');
  await Promise.race([ended, delay(graceMs)]);
  // Not only when it is still there: a child of it may have ignored the first signal.
  killGroup(child, 'SIGKILL');
  await Promise.race([ended, delay(endMs, undefined, { ref: false })]);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}

function killGroup(child: Agent, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

/** What an agent writes on both streams, up to a bound. */
class Output {
  readonly complete: Promise<unknown>;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor({ stdout, stderr }: Agent) {
    const streams = [stdout, stderr];
    for (const stream of streams)
      stream.on('data', (chunk: Buffer) => {
        if (this.#bytes < mostBytes) this.#chunks.push(chunk.subarray(0, mostBytes - this.#bytes));
        this.#bytes += chunk.length;
      });
    this.complete = Promise.all(streams.map((s) => new Promise((resolve) => s.once('close', resolve))));
  }

  /** On one line, without the secrets, the end of it: what went wrong is said last. */
  masked(options: Device['options']): string {
    const secrets = secretsOf(options, null);
    if (secrets.some((secret) => secret.length < shortestSecret))
      return 'its output is not shown, as a secret of it is too short to be masked';
    const masked = maskOf(secrets)(Buffer.concat(this.#chunks).toString());
    // Where the output was cut off, a secret may have been cut in two, in whatever form.
    const whole = this.#bytes > mostBytes ? masked.slice(0, -mostCut) : masked;
    const said = whole
      .slice(-mostLooked)
      .replaceAll(noise, '')
      .replaceAll(/[\p{Cc}\s]+/gu, ' ')
      .trim();
    return said.length <= longestSaid ? said : `…${said.slice(-longestSaid)}`;
  }
}
