// One step of the core in the making: a copy of the state that watches, gates and recoveries change, and what is to be
// said and asked for.
import { type EventFacts, hostsOf, incidentOf } from '../../../shared/documents/events/events.ts';
import type { JobData, JobRequest } from '../../../shared/documents/jobs/contracts.ts';
import type { Output, Told } from './input.ts';
import type { Rules } from './rules.ts';
import type { HostsPhase, Incident, State } from './state.ts';

export class Draft {
  readonly nowMs: number;
  readonly rules: Rules;
  readonly state: State;
  readonly #events: Told[] = [];
  readonly #withdraw: JobRequest[] = [];

  constructor(state: State, nowMs: number, rules: Rules) {
    this.state = { ...state };
    this.nowMs = nowMs;
    this.rules = rules;
  }

  output(): Output {
    return { state: this.state, events: this.#events, withdraw: this.#withdraw };
  }

  /** To be said, with the incidents of the hosts that it is about as they are now. */
  say(facts: EventFacts): void {
    const named = incidentOf(facts);
    const incidents =
      named === null ? hostsOf(facts).flatMap((host) => this.incident(host)?.id ?? []) : [named];
    this.#events.push({ incidents, facts });
  }

  /** A job of this life of the state, with an id that never was before. */
  refreshJob(data: JobData<'refresh-inventory'>): JobRequest<'refresh-inventory'> {
    return { name: 'refresh-inventory', id: this.#nextId('refresh'), data };
  }

  scanJob(data: JobData<'scan'>): JobRequest<'scan'> {
    return { name: 'scan', id: this.#nextId('scan'), data };
  }

  surveyJob(data: JobData<'survey-senses'>): JobRequest<'survey-senses'> {
    return { name: 'survey-senses', id: this.#nextId('survey'), data };
  }

  recoveredJob(data: JobData<'look-at-recovered'>): JobRequest<'look-at-recovered'> {
    return { name: 'look-at-recovered', id: this.#nextId('recovered'), data };
  }

  #nextId(kind: string): string {
    this.state.sequence += 1;
    return `${kind}-${this.state.life}-${this.state.sequence}`;
  }

  /** A job that nobody waits for any more is taken back, unless a worker has begun it. */
  withdraw(job: JobRequest): void {
    this.#withdraw.push(job);
  }

  get hostsPhase(): HostsPhase {
    return this.state.watches.hosts;
  }

  enter(phase: HostsPhase): void {
    this.state.watches = { ...this.state.watches, hosts: phase };
  }

  /** Ends the round; the next begins at `nextCheckMs`. */
  watchUntil(nextCheckMs: number): void {
    this.enter({ kind: 'watching', nextCheckMs });
  }

  /** The incident of a host, open or away. */
  incident(host: string): Incident | undefined {
    return this.state.incidents.find(({ subject }) => subject.name === host);
  }

  /** Replaces the incident of the same id, or adds it. */
  put(incident: Incident): void {
    const others = this.state.incidents;
    const index = others.findIndex(({ id }) => id === incident.id);
    this.state.incidents = index < 0 ? [...others, incident] : others.with(index, incident);
  }

  /** Forgets an incident; whoever does says why. */
  remove(incident: Incident): void {
    this.state.incidents = this.state.incidents.filter(({ id }) => id !== incident.id);
  }
}
