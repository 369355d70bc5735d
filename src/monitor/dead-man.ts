// The sign of life to something outside: an address that is got when a round is done. When monitor, sonny and Redis are all
// gone, its silence is what people hear.
import type { Clock } from '../shared/ground/clock.ts';
import { errorText } from '../shared/ground/errors.ts';
import type { Log } from '../shared/ground/log.ts';
import type { HostsPhase } from './core/state/state.ts';

const pauseMs = 60_000;
const answerMs = 10_000;

interface DeadManParts {
  /** May be a secret, path and all: no message has more of it than its host. */
  readonly url: string;
  /** Gets the address within the signal's time; its status. */
  readonly get: (url: string, signal: AbortSignal) => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
}

/** By the platform's own client; the answer's body is not read, and no redirect is followed. */
export async function getStatus(url: string, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, { signal, redirect: 'manual' });
  await answer.body?.cancel();
  return answer.status;
}

export class DeadMan {
  readonly #parts: DeadManParts;
  #phase: HostsPhase['kind'] = 'watching';
  #pingedAtMs = Number.NEGATIVE_INFINITY;
  #trouble: string | null = null;
  #pinging = false;

  constructor(parts: DeadManParts) {
    this.#parts = parts;
  }

  /** Where the watch over hosts stands, after each save: back at `watching`, a round is done. Does not wait, nor throw. */
  saw(phase: HostsPhase['kind']): void {
    const isDone = phase === 'watching' && this.#phase !== 'watching';
    this.#phase = phase;
    const nowMs = this.#parts.clock.steadyMs();
    if (!isDone || this.#pinging || nowMs - this.#pingedAtMs < pauseMs) return;
    this.#pingedAtMs = nowMs;
    this.#pinging = true;
    void this.#ping().finally(() => {
      this.#pinging = false;
    });
  }

  async #ping(): Promise<void> {
    const { url, get, log } = this.#parts;
    const trouble = await get(url, AbortSignal.timeout(answerMs)).then(
      (status) => (status >= 200 && status < 300 ? null : `it answered ${status}`),
      (error: unknown) => errorText(error),
    );
    const place = `[ALARM] dead_man_url at ${new URL(url).host}`;
    if (trouble !== null && this.#trouble === null)
      log.warn({ error: trouble.replaceAll(url, '****') }, `${place} cannot be told that all is well`);
    if (trouble === null && this.#trouble !== null) log.warn(`${place} is told again that all is well`);
    this.#trouble = trouble;
  }
}
