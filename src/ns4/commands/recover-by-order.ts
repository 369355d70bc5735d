// `ns4 -d HOST [-s HOST]`: an order to the monitor to recover a host, and its progress on the terminal. The gates are
// the monitor's; ns4 as a worker asks every sign of life again.
import { randomUUID } from 'node:crypto';
import type { SonnyEvent } from '../../shared/documents/events/events.ts';
import { endedWell } from '../../shared/documents/events/report-text.ts';
import type { Order } from '../../shared/documents/orders.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import type { EventLog } from '../../shared/redis/event-log.ts';
import type { FoundStatus } from '../../shared/redis/status.ts';
import { Progress } from './progress.ts';

const pollMs = 300;
/** A monitor that leads takes an order within 2 s; one that does not within this is in trouble. */
const answerLimitMs = 20_000;
const pageSize = 200;

interface OrderParts {
  readonly cloud: string;
  readonly events: Pick<EventLog, 'lastId' | 'readAfter'>;
  /** Name of the monitor that leads now; null: none does. */
  leader(): Promise<string | null>;
  leave(order: Order): Promise<void>;
  /** The status that the monitor publishes. */
  status(): Promise<FoundStatus>;
  readonly by: string;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly out: NodeJS.WriteStream;
}

interface Wanted {
  readonly host: string;
  /** Null: the monitor chooses. */
  readonly target: string | null;
  /** Gates to be waived, by name. */
  readonly despite: readonly string[];
}

/** 0 only if every instance is back. @throws OperationalError when no monitor leads, or none answers */
export async function recoverByOrder(wanted: Wanted, parts: OrderParts): Promise<ExitCode> {
  const { cloud, events, by, clock, out } = parts;
  const leader = await parts.leader();
  if (leader === null)
    throw new OperationalError(
      `no monitor of ${cloud} leads now, so nobody takes the order: start one, or recover without it by --alone`,
    );
  const progress = new Progress(out, clock);
  try {
    progress.line(`asking the monitor ${leader} to recover ${wanted.host}`);
    const from = await events.lastId();
    const id = randomUUID();
    const { host, target, despite } = wanted;
    const atMs = clock.nowMs();
    await parts.leave({ kind: 'recover', id, host, target, despite: [...despite], by, atMs });
    return await new Follower(id, host, from, progress, parts).run();
  } finally {
    progress.end();
  }
}

/** Reads the events that follow from one order until it has its end. */
class Follower {
  readonly #order: string;
  readonly #host: string;
  readonly #progress: Progress;
  readonly #parts: OrderParts;
  readonly #sinceMs: number;
  #cursor: string;
  /** What the order led to; null: it was not answered yet. */
  #followed: { readonly incident: string; readonly recovery: string } | null = null;

  constructor(order: string, host: string, cursor: string, progress: Progress, parts: OrderParts) {
    this.#order = order;
    this.#host = host;
    this.#cursor = cursor;
    this.#progress = progress;
    this.#parts = parts;
    this.#sinceMs = parts.clock.steadyMs();
  }

  async run(): Promise<ExitCode> {
    const { events, clock, stop } = this.#parts;
    for (;;) {
      // Asked before the events: whatever ends the recovery is told by the time that the status shows its end.
      const isOver = await this.#isOver();
      const page = await events.readAfter(this.#cursor, pageSize);
      for (const { id, event } of page) {
        this.#cursor = id;
        const code = this.#take(event);
        if (code !== null) return code;
      }
      if (isOver && page.length === 0) return 1;
      this.#checkAnswered();
      await clock.sleep(pollMs, stop);
    }
  }

  /** Shows an event that concerns the order; its exit code when it is the end. */
  #take(event: SonnyEvent): ExitCode | null {
    const { facts, incidents, text } = event;
    if (facts.kind === 'order-refused' && facts.order === this.#order) {
      this.#progress.line(text);
      return 1;
    }
    if (facts.kind === 'recovery-requested' && facts.order === this.#order)
      this.#followed = { incident: facts.incident, recovery: facts.recovery };
    const followed = this.#followed;
    const isOfHost = 'host' in facts && facts.host === this.#host;
    if (followed === null || !(isOfHost || incidents.includes(followed.incident))) return null;
    this.#progress.event(facts, text);
    if (facts.kind === 'recovery-ended' && facts.report.recovery === followed.recovery)
      return endedWell(facts.report) ? 0 : 1;
    return facts.kind === 'recovery-lost' && facts.recovery === followed.recovery ? 1 : null;
  }

  /**
   * Of a recovery that the watch began, a refusal that stands already is not told again: then the status tells its end.
   */
  async #isOver(): Promise<boolean> {
    const followed = this.#followed;
    if (followed === null) return false;
    const found = await this.#parts.status();
    return (
      found.kind === 'found' && !found.status.incidents.some((i) => i.recovery?.id === followed.recovery)
    );
  }

  #checkAnswered(): void {
    if (this.#followed !== null) return;
    if (this.#parts.clock.steadyMs() - this.#sinceMs > answerLimitMs)
      throw new OperationalError(
        `the monitor did not answer within ${answerLimitMs / 1000} s; taken later than two minutes after it was given, the order to recover ${this.#host} is refused`,
      );
  }
}
