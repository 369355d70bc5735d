// Asks the small helper program who sent the ICMP errors that ended probes: started when there are some, with all of
// them at once, and gone when it has told.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../../shared/documents/jobs/scan.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { type Offence, offenceSchema } from './offence.ts';

/** Who ended the connects to some endpoints. */
export interface Offenders {
  /**
   * What was found out of each, by its place; nothing of those that could not be asked. Rejects with the signal's reason
   * when aborted, and for nothing else.
   */
  ask(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<ReadonlyMap<number, Offence>>;
}

const program = 'python3';
const script = fileURLToPath(new URL('./icmp-offender.py', import.meta.url));
/** Longer than the three seconds of a hardware address that nobody has. */
const timeoutMs = 3_500;
const atOnce = 256;
/** More are not asked in one scan: so many errors at once are no dying host. */
const most = 1_024;
/** It ends by itself after this, and is ended a little later if it does not. */
const lifeS = 10;
const lifeMs = 11_000;

export class IcmpOffenders implements Offenders {
  readonly #log: Log;
  #told = false;

  constructor(log: Log) {
    this.#log = log;
  }

  async ask(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<ReadonlyMap<number, Offence>> {
    const found = new Map<number, Offence>();
    if (endpoints.length === 0) return found;
    try {
      await run(endpoints.slice(0, most), (offence) => found.set(offence.id, offence), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!this.#told)
        this.#log.warn(
          { error: errorText(error) },
          `who sends ICMP errors is not known (${program} is needed for that): they count as unknown, and guests that only refuse are not remembered as heard`,
        );
      this.#told = true;
    }
    return found;
  }
}

/** Rejects when the program cannot be run to its end. */
async function run(
  endpoints: readonly Endpoint[],
  tell: (offence: Offence) => void,
  signal: AbortSignal,
): Promise<void> {
  const args = ['-I', '-S', script, timeoutMs, atOnce, lifeS].map(String);
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(lifeMs)]),
    killSignal: 'SIGKILL',
  });
  // One that ended before it read all: its exit code tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(endpoints.map((endpoint, id) => `${JSON.stringify({ id, ...endpoint })}\n`).join(''));
  createInterface(child.stdout).on('line', (line) => {
    const offence = offenceSchema.safeParse(parsed(line));
    if (offence.success) tell(offence.data);
  });
  // Rejects when it cannot be started, or was ended by the signal.
  const [code, by] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ended with ${code ?? by}`);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** For `--check`: whether it can be asked at all. */
export async function describeOffenders(signal: AbortSignal): Promise<string> {
  try {
    await run([], () => undefined, signal);
    return `${program} tells who sends ICMP errors`;
  } catch (error) {
    return `WARNING: without ${program} (${errorText(error)}) nobody tells who sends ICMP errors; a host that refuses by them is unknown, and a guest that only refuses is not remembered as heard`;
  }
}
