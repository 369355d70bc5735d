// The monitor's only loop: stand by until the lease is free, then lead: receive an input, step, save state and events
// together, then ask for the jobs. A crash after any save is harmless: whatever the saved state waits for is asked for
// again under the same ids, by whoever leads then.
import { announce } from '../shared/documents/events/events.ts';
import type { Finished, JobName, JobRequest } from '../shared/documents/jobs/contracts.ts';
import type { Clock } from '../shared/ground/clock.ts';
import { errorText, OperationalError } from '../shared/ground/errors.ts';
import type { Log } from '../shared/ground/log.ts';
import type { JobProducer } from '../shared/jobs/job-producer.ts';
import type { Picture } from '../shared/picture/picture.ts';
import type { InventoryStore } from '../shared/picture/store.ts';
import { needOfOrder, needOfOutcome, type PictureNeed } from './core/picture-needs.ts';
import type { Found, Input, Told } from './core/state/input.ts';
import type { Rules } from './core/state/rules.ts';
import { firstState, type State } from './core/state/state.ts';
import { statusOf } from './core/status.ts';
import { awaitedJobs, dueAtMs, step } from './core/step.ts';
import { type Lease, renewMs, standbyPollMs } from './lease.ts';
import { LostLeaseError, type Memory } from './memory.ts';
import { Pause } from './pause.ts';
import { isLater, isSame } from './same-state.ts';
import { TurnTroubles } from './turn-troubles.ts';

/** While jobs run their outcomes are asked for this often, besides being told of: a notification may get lost. */
const outcomePollMs = 500;
/** Operators' orders are looked for at least this often. */
const orderPollMs = 2_000;
const redisTroublePauseMs = 500;

interface DriverParts {
  readonly cloud: string;
  readonly rules: Rules;
  readonly lease: Pick<Lease, 'who' | 'take' | 'renew' | 'release'>;
  readonly memory: Pick<Memory, 'read' | 'save' | 'holds' | 'readOrders' | 'forgetOrders'>;
  readonly inventory: Pick<InventoryStore, 'read'>;
  readonly jobs: Pick<JobProducer, 'request' | 'outcome' | 'withdraw' | 'onFinished'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A name for the life of a state that begins, which no other Sonny has, whether or not it shares this Redis. */
  newLife(): string;
  /** Told each time the loop comes round, first when it is known who leads. */
  readonly onRound?: () => void;
  /** Told of each state once it is saved. */
  readonly onSaved?: (state: State) => void;
}

export class Driver {
  readonly #parts: DriverParts;
  #state: State = firstState('none');
  /** The latest state this process saved or saw; null when it never saw one. */
  #known: State | null = null;
  /** Jobs this process has asked for; after a take-over all awaited ones are asked for again. */
  readonly #requested = new Set<string>();
  readonly #pause: Pause;
  #leaseLost = false;
  readonly #troubles: TurnTroubles;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#pause = new Pause(parts.clock);
    this.#troubles = new TurnTroubles(parts.log);
    parts.jobs.onFinished(() => this.#pause.end());
  }

  /**
   * Runs until `stop` is aborted, leading or standing by. Rejects when the state is not understood, or when Redis
   * cannot be reached at the very start.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { lease, log } = this.#parts;
    stop.addEventListener('abort', () => this.#pause.end(), { once: true });
    for (let first = true; ; first = false) {
      const epoch = await this.#standBy(stop, first);
      if (epoch === null) return;
      const over = new AbortController();
      void this.#keepRenewing(over.signal);
      try {
        await this.#lead(epoch, stop);
      } catch (error) {
        if (!(error instanceof LostLeaseError)) throw error;
        log.warn(`${lease.who} does not lead any more: ${error.message}`);
      } finally {
        over.abort();
        // Not ours any more, or Redis is away: then it runs out by itself.
        await lease.release().catch(() => {});
      }
    }
  }

  /** Tries to take the lease until it is ours; its epoch, or null when stopped. */
  async #standBy(stop: AbortSignal, first: boolean): Promise<number | null> {
    const { lease, memory, log } = this.#parts;
    for (let told = false, reached = !first; !stop.aborted; ) {
      try {
        const epoch = await lease.take(this.#known?.epoch ?? 0);
        reached = true;
        if (epoch !== null) return epoch;
        if (!told) log.info(`another monitor leads; ${lease.who} stands by`);
        told = true;
        // What was seen here is what is left when Redis loses everything before this one leads.
        this.#remember(await memory.read());
      } catch (error) {
        if (!reached) throw error;
        log.debug({ error: errorText(error) }, 'cannot ask for the lease');
        this.#troubles.failed(error);
      }
      this.#parts.onRound?.();
      await this.#pause.take(standbyPollMs);
    }
    return null;
  }

  /** Beside whatever the loop waits for. An answer is not waited for: a late one must not delay the next renewal. */
  async #keepRenewing(over: AbortSignal): Promise<void> {
    const { clock, lease } = this.#parts;
    this.#leaseLost = false;
    const renew = async () => {
      if ((await lease.renew()) || over.aborted) return;
      this.#leaseLost = true;
      this.#pause.end();
    };
    try {
      for (;;) {
        await clock.sleep(renewMs, over);
        // Redis is away: the next save tells whether we still lead.
        renew().catch(() => {});
      }
    } catch {
      // Over: not leading any more.
    }
  }

  async #lead(epoch: number, stop: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    this.#requested.clear();
    let begun = false;
    while (!stop.aborted) {
      this.#parts.onRound?.();
      try {
        if (this.#leaseLost) throw new LostLeaseError('it was not renewed in time');
        if (begun) {
          const moved = await this.#turn();
          this.#troubles.turned();
          if (!moved) await this.#rest();
        } else {
          await this.#begin(epoch);
          begun = true;
        }
      } catch (error) {
        // A state that is not understood shows itself at the beginning; it will not be another one at the next try.
        if (error instanceof (begun ? LostLeaseError : OperationalError)) throw error;
        // Redis is away: the state in memory is the one last saved, so the same turn is simply taken again.
        log.warn({ error: errorText(error) }, 'a turn failed and is taken again');
        this.#troubles.failed(error);
        await this.#pause.take(redisTroublePauseMs);
      }
    }
    if (this.#state.epoch === epoch)
      await this.#save(this.#state, [{ incidents: [], facts: { kind: 'monitor-stopped' } }]);
  }

  /** Begins to lead, from what is found; said once, also when Redis failed after it had saved it. */
  async #begin(epoch: number): Promise<void> {
    const { lease, clock } = this.#parts;
    const found = await this.#goOnFrom();
    if (this.#state.epoch === epoch) return;
    await this.#take({ kind: 'leads', atMs: clock.nowMs(), epoch, who: lease.who, found });
  }

  /** The later one of what Redis holds and what is remembered becomes the state. */
  async #goOnFrom(): Promise<Found> {
    const { memory, newLife, log } = this.#parts;
    const stored = await memory.read();
    if (this.#known !== null && (stored === null || isLater(this.#known, stored)))
      log.warn(
        `Redis lost ${stored === null ? 'everything' : 'its last moments'}; going on from what this monitor remembers`,
      );
    this.#remember(stored);
    this.#state = this.#known ?? firstState(newLife());
    if (stored !== null) return 'state';
    return this.#known === null ? 'nothing' : 'lost';
  }

  #remember(seen: State | null): void {
    if (seen !== null && (this.#known === null || !isLater(this.#known, seen))) this.#known = seen;
  }

  /** One pass over everything that may have happened; true when the state moved. */
  async #turn(): Promise<boolean> {
    const { memory, clock, log } = this.#parts;
    if (!(await memory.holds(this.#state))) {
      log.warn('Redis lost what was saved last; it is saved again');
      await this.#save(this.#state, []);
    }
    const troubles = this.#troubles;
    let moved = await troubles.apart('orders of operators', false, () => this.#obey());
    await this.#requestAwaited();
    for (const job of awaitedJobs(this.#state))
      moved = (await troubles.apart(`the outcome of ${job.name}`, false, () => this.#hear(job))) || moved;
    moved = (await this.#take({ kind: 'tick', atMs: clock.nowMs() })) || moved;
    await this.#requestAwaited();
    return moved;
  }

  /** What operators ordered; true when the state moved. */
  async #obey(): Promise<boolean> {
    const { memory, clock } = this.#parts;
    let moved = false;
    const orders = await memory.readOrders();
    for (const { order } of orders) {
      if (order === null) continue;
      const picture = await this.#readPicture(needOfOrder(order));
      moved = (await this.#take({ kind: 'order', atMs: clock.nowMs(), order, picture })) || moved;
    }
    if (orders.length > 0) await memory.forgetOrders(orders);
    return moved;
  }

  /** What became of a job; true when the state moved. */
  async #hear(job: JobRequest): Promise<boolean> {
    const finished = await this.#finished(job);
    if (['waiting', 'running'].includes(finished.outcome.state)) return false;
    const picture = await this.#readPicture(needOfOutcome(this.#state, finished));
    return this.#take({ kind: 'outcome', atMs: this.#parts.clock.nowMs(), finished, picture });
  }

  async #finished<N extends JobName>({ name, id }: JobRequest<N>): Promise<Finished<N>> {
    const outcome = await this.#parts.jobs.outcome(name, id);
    if (outcome.state === 'missing') this.#requested.delete(id);
    return { job: name, id, outcome };
  }

  /** Steps on an input; saves before anything leaves. True when there was a change worth saving. */
  async #take(input: Input): Promise<boolean> {
    const before = this.#state;
    const { state, events, withdraw } = step(before, input, this.#parts.rules);
    if (events.length === 0 && isSame(state, before)) return false;
    await this.#save(state, events);
    for (const { name, id } of withdraw)
      await this.#troubles.apart(`taking ${name} back`, undefined, () => this.#parts.jobs.withdraw(name, id));
    return true;
  }

  /** The state counts, and what follows from it leaves, only once it is saved. */
  async #save(unsaved: State, told: readonly Told[]): Promise<void> {
    const { cloud, clock, lease, memory, rules, log } = this.#parts;
    const nowMs = clock.nowMs();
    const events = told.map(({ facts, incidents }) => announce(cloud, nowMs, facts, incidents));
    const state = { ...unsaved, revision: unsaved.revision + 1 };
    await memory.save(state, events, statusOf(state, { cloud, who: lease.who, nowMs, rules }));
    this.#state = state;
    this.#known = state;
    this.#parts.onSaved?.(state);
    for (const event of events)
      log[event.level === 'warning' ? 'warn' : event.level]({ kind: event.facts.kind }, event.text);
  }

  async #requestAwaited(): Promise<void> {
    const awaited = awaitedJobs(this.#state);
    for (const job of awaited) {
      if (this.#requested.has(job.id)) continue;
      await this.#troubles.apart(`asking for ${job.name}`, undefined, async () => {
        await this.#request(job);
        this.#requested.add(job.id);
      });
    }
    const ids = new Set(awaited.map((job) => job.id));
    for (const id of this.#requested) if (!ids.has(id)) this.#requested.delete(id);
  }

  #request<N extends JobName>({ name, id, data }: JobRequest<N>): Promise<void> {
    return this.#parts.jobs.request(name, id, data);
  }

  /** An inventory that cannot be read is as good as none; the core says so. Null as well when none is needed. */
  async #readPicture(need: PictureNeed | null): Promise<Picture | null> {
    const { inventory, clock, rules, log } = this.#parts;
    if (need === null) return null;
    try {
      return await inventory.read((picture) => need(picture, clock.nowMs(), rules));
    } catch (error) {
      log.error({ error: errorText(error) }, 'the inventory cannot be read');
      return null;
    }
  }

  /** Sleeps until the next check is due, a job finished, or the next look at outcomes and orders. */
  async #rest(): Promise<void> {
    const { clock } = this.#parts;
    const waiting = awaitedJobs(this.#state).length > 0;
    const untilDueMs = dueAtMs(this.#state) - clock.nowMs();
    await this.#pause.take(Math.max(0, Math.min(untilDueMs, waiting ? outcomePollMs : orderPollMs)));
  }
}
