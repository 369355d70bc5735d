// The monitor's only loop: receive an input, step, save state and events together, then ask for the jobs. A crash after
// any save is harmless: whatever the saved state waits for is asked for again under the same ids.
import { setMaxListeners } from 'node:events';
import type { Clock } from '../shared/clock.ts';
import type { JobName, JobOutcome } from '../shared/contracts.ts';
import { errorText } from '../shared/errors.ts';
import type { EventFacts } from '../shared/events.ts';
import type { Inventory } from '../shared/inventory.ts';
import type { InventoryStore } from '../shared/inventory-store.ts';
import type { Log } from '../shared/log.ts';
import type { JobProducer } from '../shared/queue.ts';
import { announce } from '../shared/sentences.ts';
import { step } from './core/step.ts';
import {
  awaitedJobs,
  firstState,
  type Input,
  type JobRequest,
  type Rules,
  type State,
} from './core/types.ts';
import { type Memory, SupersededError } from './memory.ts';

/** While jobs run their outcomes are asked for this often, besides being told of: a notification may get lost. */
const outcomePollMs = 500;
/** Operators' orders are looked for at least this often. */
const orderPollMs = 2_000;
const redisTroublePauseMs = 500;

export interface DriverParts {
  readonly cloud: string;
  readonly rules: Rules;
  readonly memory: Pick<Memory, 'takeOver' | 'save' | 'readOrders' | 'forgetOrders'>;
  readonly inventory: Pick<InventoryStore, 'read'>;
  readonly jobs: Pick<JobProducer, 'request' | 'outcome' | 'withdraw' | 'onFinished'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Driver {
  readonly #parts: DriverParts;
  #state: State = firstState('none');
  /** Jobs this process has asked for; after a restart all awaited ones are asked for again. */
  readonly #requested = new Set<string>();
  #wake: AbortController = new AbortController();

  constructor(parts: DriverParts) {
    this.#parts = parts;
    parts.jobs.onFinished(() => this.#wake.abort());
  }

  /** Runs until `stop` is aborted; rejects when another monitor took over or the state is not understood. */
  async run(stop: AbortSignal): Promise<void> {
    const { memory, clock, log } = this.#parts;
    stop.addEventListener('abort', () => this.#wake.abort(), { once: true });
    const found = await memory.takeOver();
    this.#state = found ?? firstState(clock.nowMs().toString(36));
    await this.#save(this.#state, [
      { kind: 'monitor-started', resumed: found !== null, fencing: this.#parts.rules.fencing },
    ]);
    while (!stop.aborted) {
      try {
        const moved = await this.#turn();
        if (!moved) await this.#rest();
      } catch (error) {
        if (error instanceof SupersededError) throw error;
        // Redis is away: the state in memory is the one last saved, so the same turn is simply taken again.
        log.warn({ error: errorText(error) }, 'a turn failed and is taken again');
        await this.#pause(redisTroublePauseMs);
      }
    }
    await this.#save(this.#state, [{ kind: 'monitor-stopped' }]);
  }

  /** One pass over everything that may have happened; true when the state moved. */
  async #turn(): Promise<boolean> {
    const { memory, clock } = this.#parts;
    let moved = false;
    const orders = await memory.readOrders();
    for (const order of orders)
      moved = (await this.#take({ kind: 'order', atMs: clock.nowMs(), order })) || moved;
    if (orders.length > 0) await memory.forgetOrders(orders.length);

    await this.#requestAwaited();
    for (const job of awaitedJobs(this.#state)) {
      const outcome = await this.#outcome(job);
      if (outcome.state === 'waiting' || outcome.state === 'running') continue;
      const inventory = job.name === 'evacuate' ? null : await this.#readInventory();
      moved =
        (await this.#take({ kind: 'outcome', atMs: clock.nowMs(), jobId: job.id, outcome, inventory })) ||
        moved;
    }
    moved = (await this.#take({ kind: 'tick', atMs: clock.nowMs() })) || moved;
    await this.#requestAwaited();
    return moved;
  }

  async #outcome(job: JobRequest): Promise<JobOutcome<JobName>> {
    const outcome = await this.#parts.jobs.outcome(job.name, job.id);
    if (outcome.state === 'missing') this.#requested.delete(job.id);
    return outcome;
  }

  /** Steps on an input; saves before anything leaves. True when there was a change worth saving. */
  async #take(input: Input): Promise<boolean> {
    const before = this.#state;
    const { state, events, withdraw } = step(before, input, this.#parts.rules);
    if (events.length === 0 && JSON.stringify(state) === JSON.stringify(before)) return false;
    await this.#save(state, events);
    this.#state = state;
    for (const job of withdraw) await this.#parts.jobs.withdraw(job.name, job.id);
    return true;
  }

  async #save(state: State, facts: readonly EventFacts[]): Promise<void> {
    const { cloud, clock, memory, log } = this.#parts;
    const events = facts.map((f) => announce(cloud, clock.nowMs(), f));
    await memory.save(state, events);
    for (const event of events)
      log[event.level === 'warning' ? 'warn' : event.level]({ kind: event.facts.kind }, event.text);
  }

  async #requestAwaited(): Promise<void> {
    const awaited = awaitedJobs(this.#state);
    for (const job of awaited) {
      if (this.#requested.has(job.id)) continue;
      await this.#parts.jobs.request(job.name, job.id, job.data as never);
      this.#requested.add(job.id);
    }
    const ids = new Set(awaited.map((job) => job.id));
    for (const id of this.#requested) if (!ids.has(id)) this.#requested.delete(id);
  }

  /** An inventory that cannot be read is as good as none; the core says so. */
  async #readInventory(): Promise<Inventory | null> {
    try {
      return await this.#parts.inventory.read();
    } catch (error) {
      this.#parts.log.error({ error: errorText(error) }, 'the inventory cannot be read');
      return null;
    }
  }

  /** Sleeps until the next check is due, a job finished, or the next look at outcomes and orders. */
  async #rest(): Promise<void> {
    const { clock } = this.#parts;
    const { phase } = this.#state;
    const waiting = awaitedJobs(this.#state).length > 0;
    const untilCheckMs = phase.kind === 'watching' ? phase.nextCheckMs - clock.nowMs() : outcomePollMs;
    await this.#pause(Math.max(0, Math.min(untilCheckMs, waiting ? outcomePollMs : orderPollMs)));
  }

  async #pause(ms: number): Promise<void> {
    const wake = this.#wake;
    // Redis clients and timers of one process hang on this signal in turn, never many at once; silence the guess.
    setMaxListeners(0, wake.signal);
    try {
      await this.#parts.clock.sleep(ms, wake.signal);
    } catch {
      // Woken early, which is what the signal is for.
    }
    if (wake.signal.aborted) this.#wake = new AbortController();
  }
}
