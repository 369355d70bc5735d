// A watch: a small machine over the state with a phase, jobs and a tick of its own, so that a slow look of one delays
// no other. `watches/hosts` is the first; what a watch must answer stands here.
import type { Finished, JobRequest } from '../../../shared/documents/jobs/contracts.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { ServersWanted } from '../../../shared/picture/reading.ts';
import type { Draft } from './draft.ts';
import type { Rules } from './rules.ts';
import type { State } from './state.ts';

export interface Watch {
  readonly name: keyof State['watches'];
  /** The jobs its phase waits for. */
  awaited(state: State): readonly JobRequest[];
  /** When its phase ends by itself, as far as nothing happens before; milliseconds since the epoch. */
  dueAtMs(state: State): number;
  /** Time passed. */
  tick(draft: Draft): void;
  /** A host that it left out is to be judged again: what is under way begins anew. */
  beginAnew(draft: Draft): void;
  /** One of its jobs ended; called for those in `awaited` only. */
  take(draft: Draft, finished: Finished, picture: Picture | null): void;
  /** Does the step on the end of one of its jobs look at the picture, and at whose servers? Null: it does not look. */
  wants(
    state: State,
    finished: Finished,
  ): ((picture: Picture, nowMs: number, rules: Rules) => ServersWanted) | null;
}
