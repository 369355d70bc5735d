// One monitor: the real driver around the real core, on a pretend memory, queue and inventory. Its looks in vain are
// left out: a pause is prolonged until something is there to be found, which changes nothing but the work to be done.

import type { Rules } from '../../../src/monitor/core/state/rules.ts';
import { recoveriesOf, type State } from '../../../src/monitor/core/state/state.ts';
import { awaitedJobs, dueAtMs } from '../../../src/monitor/core/step.ts';
import { Driver } from '../../../src/monitor/driver.ts';
import { contracts } from '../../../src/shared/documents/jobs/contracts.ts';
import { OperationalError } from '../../../src/shared/ground/errors.ts';
import type { Jobs } from './jobs.ts';
import { PretendLease } from './lease.ts';
import type { Process } from './process.ts';
import { RedisAwayError, type RedisLink } from './redis-link.ts';
import { silentLog } from './silent-log.ts';
import { type Judge, PretendInventory, PretendMemory } from './storage.ts';

export interface MonitorParts<Ledger> {
  readonly process: Process;
  readonly link: RedisLink;
  readonly jobs: Jobs;
  readonly rules: Rules;
  readonly judge: Judge<Ledger>;
}

/** The real driver's own: while jobs run, and otherwise. */
const outcomePollMs = 500;
/** A standby looks, and a leader renews, this rarely as long as nothing happens that would matter. */
const standbyMs = 30_000;
const renewalMs = 30_000;

export class Monitor<Ledger> {
  readonly #parts: MonitorParts<Ledger>;
  readonly #listeners: ((id: string) => void)[] = [];
  /** Called when it ends by itself. */
  onEnd: () => void = () => {};
  #state: State | null = null;
  readonly #lease: PretendLease;
  /** Sleeps that end earlier when there is news. */
  readonly #pokes = new Set<() => void>();
  #poked = false;
  /** The signal of the sleeps between two renewals of the lease. */
  #renewal: AbortSignal | 'next' | null = null;

  constructor(parts: MonitorParts<Ledger>) {
    this.#parts = parts;
    this.#lease = new PretendLease(parts.link);
  }

  get leads(): boolean {
    return this.#lease.isOurs();
  }

  get process(): Process {
    return this.#parts.process;
  }

  start(stop: AbortSignal): void {
    const { process, link, jobs, rules, judge } = this.#parts;
    const watching: Judge<Ledger> = {
      emptyLedger: () => judge.emptyLedger(),
      judge: (ledger, before, after, events) => judge.judge(ledger, before, after, events),
      saved: (state, events, by) => {
        this.#state = state;
        judge.saved(state, events, by);
      },
      acknowledged: (state) => judge.acknowledged(state),
    };
    // A turn that failed may have missed what it was woken for: it is soon taken again.
    link.onFailure = () => {
      this.#poked = true;
    };
    const lease = this.#lease;
    const driver = new Driver({
      ...{ cloud: 'pretend', rules, log: silentLog },
      newLife: () => `${process.clock.nowMs().toString(36)}-${process.name}`,
      clock: { ...process.clock, sleep: (ms, signal) => this.#sleep(ms, signal) },
      lease: {
        who: lease.who,
        take: async (floor) => {
          const epoch = await lease.take(floor);
          // The driver's next sleep is the one between two renewals.
          this.#renewal = epoch === null ? null : 'next';
          return epoch;
        },
        renew: () => lease.renew(),
        release: () => lease.release(),
      },
      memory: new PretendMemory(link, lease, watching),
      inventory: new PretendInventory(link),
      jobs: {
        request: (name, id, data) => link.call(() => jobs.request(name, id, data)),
        outcome: (name, id) => link.call(() => jobs.outcome(name, id)),
        withdraw: async (_name, id) => void (await link.call(() => jobs.withdraw(id))),
        onFinished: (listener) => this.#listeners.push(listener),
      },
    });
    driver.run(stop).then(
      () => this.onEnd(),
      (error: unknown) => {
        const isMeant = error instanceof OperationalError || error instanceof RedisAwayError;
        if (!isMeant) return process.timeline.fail(error);
        this.onEnd();
      },
    );
  }

  /** A job finished and the hint of it arrives. */
  hint(id: string): void {
    if (!this.#parts.link.isCut)
      this.process.enter(() => {
        for (const listener of this.#listeners) listener(id);
      });
  }

  /** Something happened that only a look would show. */
  poke(): void {
    // Whoever is not asleep now looks again before it sleeps longer than it says.
    this.#poked = true;
    for (const poke of [...this.#pokes]) poke();
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { process } = this.#parts;
    if (this.#renewal === 'next') this.#renewal = signal ?? null;
    const renews = this.#renewal !== null && this.#renewal === signal;
    const quietMs = renews ? renewalMs : this.#poked ? 0 : this.#quietMs();
    if (!renews) this.#poked = false;
    if (quietMs <= ms || signal?.aborted) return process.sleep(ms, signal);
    return new Promise((resolve, reject) => {
      const startedMs = process.timeline.nowMs;
      const end = (settle: () => void) => {
        planned.cancelled = true;
        this.#pokes.delete(poke);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = () => end(() => reject(signal?.reason));
      signal?.addEventListener('abort', onAbort, { once: true });
      let planned = process.later(quietMs, () => end(resolve));
      // The next look in vain becomes one that finds something: it comes when it would have come.
      const poke = () => {
        planned.cancelled = true;
        const sinceMs = (process.timeline.nowMs - startedMs) % Math.max(1, ms);
        planned = process.later(Math.max(0, ms - sinceMs), () => end(resolve));
        this.#pokes.delete(poke);
      };
      this.#pokes.add(poke);
    });
  }

  /** How long nothing but news can move the state. */
  #quietMs(): number {
    if (!this.#lease.isOurs())
      return Math.min(standbyMs, this.#lease.freeAtMs() - this.process.timeline.nowMs);
    const state = this.#state;
    if (state === null) return 0;
    if (awaitedJobs(state).some((job) => this.#parts.jobs.outcome(job.name, job.id).state === 'missing'))
      return outcomePollMs;
    const ends = recoveriesOf(state).map(({ recovery }) => recovery.sinceMs + contracts.recover.waitMs + 1);
    return Math.min(dueAtMs(state), ...ends) - this.process.clock.nowMs();
  }
}
