// What goes into a step of the monitor's core, and what comes out. Nothing here knows a clock, Redis or a queue.
import type { EventFacts } from '../../../shared/documents/events/events.ts';
import type { Finished, JobRequest } from '../../../shared/documents/jobs/contracts.ts';
import type { Order } from '../../../shared/documents/orders.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { State } from './state.ts';

/**
 * What a monitor that takes the lead goes on from. state: what Redis holds, or what this monitor remembers when Redis
 * lost its last moments; lost: Redis is empty, and what this monitor remembers is all there is; nothing: neither knows
 * anything of this cloud.
 */
export type Found = 'state' | 'lost' | 'nothing';

/** Everything that can happen. Time arrives in `atMs` only. */
export type Input = { readonly atMs: number } & (
  | { readonly kind: 'tick' }
  /** This monitor leads from now on, with the state it goes on from. */
  | { readonly kind: 'leads'; readonly epoch: number; readonly who: string; readonly found: Found }
  | { readonly kind: 'order'; readonly order: Order; readonly picture: Picture | null }
  | {
      readonly kind: 'outcome';
      readonly finished: Finished;
      /**
       * What Redis holds now, with the servers that picture-needs.ts names; null when the step needs no picture, when
       * there is none, or when it could not be read.
       */
      readonly picture: Picture | null;
    }
);
export type OutcomeInput = Extract<Input, { kind: 'outcome' }>;

/** Something to be said, with the ids of the incidents that it is about (none: the cloud). */
export interface Told {
  readonly incidents: readonly string[];
  readonly facts: EventFacts;
}

/** What is to be done: save the state together with the events, then request and withdraw the jobs. */
export interface Output {
  readonly state: State;
  readonly events: readonly Told[];
  readonly withdraw: readonly JobRequest[];
}
