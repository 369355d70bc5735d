// Keeps a line to Slack open: logs in, connects, and connects again when the line is lost, with capped pauses
// (the original's pause multiplied itself without a cap, defect 13). Knows nothing of Slack's client.
import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { pauseAfterMs } from '../outlet/backoff.ts';
import type { SlackVerdict } from './slack-verdict.ts';

/** An open connection that questions arrive on. */
export interface Line {
  /** Resolves when it is no more; `announced`: Slack had asked for a fresh one, which it does every few hours. */
  readonly closed: Promise<{ readonly announced: boolean }>;
  close(): void;
}

interface ListeningParts<Login> {
  /** Whether the token is good, and who we are. */
  login(): Promise<Login>;
  /** Null: without an app token there is nothing to listen on. */
  readonly open: ((login: Login) => Promise<Line>) | null;
  judge(thrown: unknown): SlackVerdict;
  /** The line was lost and is there again. */
  onReconnected(): void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A line that lived shorter than this was no success: its loss lengthens the pause. */
const steadyMs = 30_000;
const longExchangeMs = 30_000;
/** A refusal was announced already; a person may undo it. */
const refusedPauseMs = 30_000;

/**
 * Listens until stopped. Throws OperationalError when Slack refuses a token that it has not accepted before: a mistake
 * in the configuration is worth ending for. A later refusal may be Slack's own mistake, so it is only waited for.
 */
export async function keepListening<Login>(parts: ListeningParts<Login>, stop: AbortSignal): Promise<void> {
  const stopped = new Promise<null>((resolve) => {
    if (stop.aborted) resolve(null);
    stop.addEventListener('abort', () => resolve(null), { once: true });
  });
  const retrier = new Retrier(parts, stop, stopped);
  const login = await retrier.until('token', () => parts.login());
  if (login === null) return;
  const { open } = parts;
  if (open === null) {
    parts.log.info('no app_token: I post only, and answer no questions');
    await stopped;
    return;
  }
  const { clock, log } = parts;
  let last: { readonly announced: boolean; readonly atMs: number } | null = null;
  for (;;) {
    const line = await retrier.until('app_token', () => open(login));
    if (line === null) return;
    const openedAtMs = clock.nowMs();
    // An exchange that was asked for and took long is a loss as well.
    if (last !== null && (!last.announced || openedAtMs - last.atMs > longExchangeMs)) {
      log.warn('connected to Slack again');
      parts.onReconnected();
    } else log.info('connected to Slack');
    const end = await Promise.race([line.closed, stopped]);
    if (end === null) return line.close();
    last = { announced: end.announced, atMs: clock.nowMs() };
    if (!end.announced) log.warn('the connection to Slack was lost');
    await retrier.lost(end.announced || last.atMs - openedAtMs >= steadyMs);
  }
}

type RetrierParts = Pick<ListeningParts<unknown>, 'judge' | 'clock' | 'log'>;

class Retrier {
  readonly #parts: RetrierParts;
  readonly #stop: AbortSignal;
  readonly #stopped: Promise<null>;
  readonly #accepted = new Set<string>();
  #failures = 0;
  #trouble: string | null = null;

  constructor(parts: RetrierParts, stop: AbortSignal, stopped: Promise<null>) {
    this.#parts = parts;
    this.#stop = stop;
    this.#stopped = stopped;
  }

  /** Tries until it works; null when stopped meanwhile. */
  async until<T>(token: 'token' | 'app_token', act: () => Promise<T>): Promise<T | null> {
    const { judge, log } = this.#parts;
    while (!this.#stop.aborted) {
      try {
        const result = await Promise.race([act(), this.#stopped]);
        this.#accepted.add(token);
        this.#trouble = null;
        return result;
      } catch (thrown) {
        const verdict = judge(thrown);
        if (verdict.kind !== 'retry' && !this.#accepted.has(token))
          throw new OperationalError(`Slack refuses [SLACK] ${token} (${verdict.reason})`);
        if (verdict.reason !== this.#trouble) log.error(`no connection to Slack: ${verdict.reason}`);
        this.#trouble = verdict.reason;
        await this.#pause(verdict);
      }
    }
    return null;
  }

  /** The pause after a line was lost: none after one that held. */
  async lost(steady: boolean): Promise<void> {
    if (steady) this.#failures = 0;
    else await this.#pause({ kind: 'retry', afterMs: null, reason: '' });
  }

  async #pause(verdict: SlackVerdict): Promise<void> {
    this.#failures += 1;
    const asked = verdict.kind === 'retry' ? verdict.afterMs : refusedPauseMs;
    await this.#parts.clock.sleep(asked ?? pauseAfterMs(this.#failures), this.#stop).catch(() => {});
  }
}
