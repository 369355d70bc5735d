// One turn of the core in the making: a copy of the state that the phases change, and what is to be said. Keeps the
// rule that everything is said once until it changes.

import type { EventFacts } from '../../shared/documents/events/events.ts';
import type { JobData, JobRequest } from '../../shared/documents/jobs/contracts.ts';
import { type Refusal, refusalHosts, refusalSignature } from '../../shared/documents/refusals/refusals.ts';
import { wholeCloud } from '../../shared/rules/control-plane.ts';
import type { Output, Phase, Rules, State } from './state.ts';

/** The scope of standing matters that concern no single host. */
export const cloudScope = wholeCloud;

export class Turn {
  readonly nowMs: number;
  readonly rules: Rules;
  state: State;
  readonly #events: EventFacts[] = [];
  readonly #withdraw: JobRequest[] = [];

  constructor(state: State, nowMs: number, rules: Rules) {
    this.state = {
      ...state,
      standing: { ...state.standing },
      recoveries: [...state.recoveries],
      fencing: rules.fencing,
    };
    this.nowMs = nowMs;
    this.rules = rules;
  }

  output(): Output {
    return { state: this.state, events: this.#events, withdraw: this.#withdraw };
  }

  say(facts: EventFacts): void {
    this.#events.push(facts);
  }

  /** A job of this life of the state, with an id that never was before. */
  refreshJob(data: JobData<'refresh-inventory'>): Extract<JobRequest, { name: 'refresh-inventory' }> {
    return { name: 'refresh-inventory', id: this.#nextId('refresh'), data };
  }

  scanJob(data: JobData<'scan'>): Extract<JobRequest, { name: 'scan' }> {
    return { name: 'scan', id: this.#nextId('scan'), data };
  }

  #nextId(kind: string): string {
    const sequence = this.state.sequence + 1;
    this.state.sequence = sequence;
    return `${kind}-${this.state.life}-${sequence}`;
  }

  enter(phase: Phase): void {
    this.state.phase = phase;
  }

  /** Ends the round; the next begins at `nextCheckMs`. */
  watchUntil(nextCheckMs: number): void {
    this.enter({ kind: 'watching', nextCheckMs });
  }

  withdraw(job: JobRequest): void {
    this.#withdraw.push(job);
  }

  /**
   * Announces a refusal unless the same one already stands for its hosts (or the cloud). `signature` is what makes it
   * another one: leave passing time out of it, or the channel fills with repetitions. `scope` is what it stands for when
   * that is neither its hosts nor the cloud: a zone, say, whose silent hosts may become more.
   */
  refuse(refusal: Refusal, signature = refusalSignature(refusal), scope: string | null = null): void {
    const hosts = refusalHosts(refusal);
    const ofCloud = hosts.length === 0 || refusal.name === 'too-many-suspects';
    const scopes = scope !== null ? [scope] : ofCloud ? [cloudScope] : hosts;
    const full = `${signature}|${scope === null ? hosts.join(',') : ''}`;
    const isNew = scopes.some((scope) => {
      const standing = this.state.standing[scope];
      return standing?.name !== refusal.name || standing.signature !== full;
    });
    if (!isNew) return;
    for (const scope of scopes)
      this.state.standing[scope] = {
        name: refusal.name,
        signature: full,
        sinceMs: this.nowMs,
        firstMs: this.state.standing[scope]?.firstMs ?? this.nowMs,
        refusal,
      };
    this.say({ kind: 'refused', refusal });
  }

  /** Notes a matter that stands for a host until cleared; true when it is new. */
  note(scope: string, name: string): boolean {
    if (this.state.standing[scope] !== undefined) return false;
    this.state.standing[scope] = {
      name,
      signature: '',
      sinceMs: this.nowMs,
      firstMs: this.nowMs,
      refusal: null,
    };
    return true;
  }

  /** A suspect turns out silent; true when that is news. Refusals that already stand tell more than that. */
  noteSilent(host: string): boolean {
    const standing = this.state.standing[host];
    if (standing?.name !== 'suspect') return false;
    this.state.standing[host] = { ...standing, name: 'silent' };
    return true;
  }

  /** Whatever stands for this scope is over: says so once. */
  clear(scope: string): void {
    const standing = this.state.standing[scope];
    if (standing === undefined) return;
    delete this.state.standing[scope];
    this.say({ kind: 'cleared', scope, of: standing.name });
  }

  /** Forgets what stands for a scope without a word, because something else is said about it. */
  forget(scope: string): void {
    delete this.state.standing[scope];
  }
}
