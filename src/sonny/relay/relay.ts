// The relay sends what waits, in order, one post at a time. A cursor moves only after its post was taken, so no event
// is lost while Slack is away or busy. A crash between Slack's yes and the stored cursor repeats one post.
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { type Entry, ownWords } from '../inbox/entry.ts';
import type { Feed } from '../inbox/feed.ts';
import { pauseAfterMs } from '../outlet/backoff.ts';
import type { Delivery, Outlet, Post } from '../outlet/outlet.ts';
import { nextStep } from './batch.ts';

interface RelayParts {
  readonly feed: Feed;
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after each look how long the pause is that follows. */
  readonly onTurn?: (pauseMs: number) => void;
}

/** When the next turn is due; `wakeable`: sooner, if something happens. */
interface Due {
  readonly inMs: number;
  readonly wakeable: boolean;
}

/** Without any word from pub/sub, the streams are looked at this often. */
const idleMs = 5_000;
const redisPauseMs = 1_000;
/** Things sonny says of itself that wait for Slack; older ones are dropped, they are no events. */
const mostNotices = 10;
/** After a stop, how long a post under way may still take, and the cursors' store, and the farewell. */
const lastPostMs = 2_500;
const lastStoreMs = 1_500;
const farewellMs = 3_000;

export class Relay {
  readonly #parts: RelayParts;
  #notices: Entry[] = [];
  /** Being delivered: it stays as it is until it was taken or given up. */
  #post: Post | null = null;
  #lastPostAtMs: number | null = null;
  #failures = 0;
  #trouble: string | null = null;
  #nap: AbortController | null = null;
  #wakeable = false;
  #woken = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Says something of sonny itself, before the events that wait. */
  say(text: string): void {
    const notice = ownWords(text, this.#parts.clock.nowMs());
    this.#notices = [...this.#notices, notice].slice(-mostNotices);
    this.wake();
  }

  /** Something happened: the relay looks now, unless it keeps a pause. */
  wake(): void {
    this.#woken = true;
    if (this.#wakeable) this.#nap?.abort();
  }

  /** Relays until stopped; then waits a little for the post under way. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, feed } = this.#parts;
    const stopped = new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    const ended = this.#turns(stop);
    await Promise.race([ended, stopped]);
    this.#nap?.abort();
    await within(clock, lastPostMs, ended);
    await within(clock, lastStoreMs, feed.store());
  }

  async #turns(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const due = await this.turn();
      this.#parts.onTurn?.(due.inMs);
      await this.#sleep(due, stop);
    }
  }

  /** Last words: one attempt, in bounded time. Events that wait keep waiting for the next start. */
  async farewell(text: string): Promise<void> {
    const { clock, outlet } = this.#parts;
    const entry = ownWords(text, clock.nowMs());
    const step = nextStep([entry], outlet.pacing, this.#lastPostAtMs, clock.nowMs());
    if (step.kind === 'wait') await clock.sleep(step.ms);
    await within(clock, farewellMs, outlet.deliver({ text, entries: [entry] }));
  }

  /** One look: stores cursors, reads, posts at most once. Says when to look again. */
  async turn(): Promise<Due> {
    const { feed, clock, outlet } = this.#parts;
    this.#woken = false;
    // Not one more post of events while a cursor cannot be stored: what a crash would repeat stays one post. What sonny
    // says of itself moves no cursor, and may be that Redis is away.
    const isStored = await feed.store();
    const isOwn = this.#post === null ? this.#notices.length > 0 : this.#post.entries.every(isOwnWords);
    if (!isStored && !isOwn) return { inMs: redisPauseMs, wakeable: false };
    if (this.#post === null) {
      const complete = isStored && (await feed.fill());
      const waiting = [...this.#notices, ...(isStored ? feed.waiting() : [])];
      const step = nextStep(waiting, outlet.pacing, this.#lastPostAtMs, clock.nowMs());
      if (step.kind === 'idle') return { inMs: complete ? idleMs : redisPauseMs, wakeable: complete };
      if (step.kind === 'wait') return { inMs: step.ms, wakeable: false };
      if (step.kind === 'pass') {
        this.#settle(step.entries);
        return now;
      }
      this.#post = step.post;
    }
    return this.#deliver(this.#post);
  }

  async #deliver(post: Post): Promise<Due> {
    const { outlet, clock, log } = this.#parts;
    const delivery = await attempt(() => outlet.deliver(post));
    this.#lastPostAtMs = clock.nowMs();
    if (delivery.kind === 'retry') {
      this.#failures += 1;
      if (delivery.reason !== this.#trouble)
        log.error(`${outlet.name} does not take posts now: ${delivery.reason}; events wait`);
      this.#trouble = delivery.reason;
      const pauseMs = delivery.afterMs ?? pauseAfterMs(this.#failures);
      return { inMs: Math.max(pauseMs, outlet.pacing.pauseMs), wakeable: false };
    }
    if (delivery.kind === 'give-up')
      log.error({ text: post.text }, `${outlet.name} will never take this post: ${delivery.reason}`);
    else if (this.#trouble !== null) log.warn(`${outlet.name} takes posts again`);
    this.#trouble = null;
    this.#failures = 0;
    this.#post = null;
    this.#settle(post.entries);
    return now;
  }

  #settle(entries: readonly Entry[]): void {
    this.#notices = this.#notices.filter((notice) => !entries.includes(notice));
    this.#parts.feed.settle(entries);
  }

  async #sleep(due: Due, stop: AbortSignal): Promise<void> {
    if (due.inMs === 0 || stop.aborted || (due.wakeable && this.#woken)) return;
    this.#nap = new AbortController();
    this.#wakeable = due.wakeable;
    await this.#parts.clock.sleep(due.inMs, this.#nap.signal).catch(() => {});
    this.#nap = null;
  }
}

const now: Due = { inMs: 0, wakeable: false };

const isOwnWords = ({ cloud }: Entry): boolean => cloud === null;

async function attempt(deliver: () => Promise<Delivery>): Promise<Delivery> {
  try {
    return await deliver();
  } catch (error) {
    return { kind: 'retry', afterMs: null, reason: errorText(error) };
  }
}

/** Waits for a promise, but not for long; how it ends is not asked. */
async function within(clock: Clock, limitMs: number, promise: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([promise.catch(() => {}), clock.sleep(limitMs, limit.signal).catch(() => {})]);
  limit.abort();
}
