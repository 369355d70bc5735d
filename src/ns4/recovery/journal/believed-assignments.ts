// Are these the assignments that a monitor of ours saved, and not older ones than this ns4 saw already? Others count as
// none: the leader notices that Redis does not hold what it saved, and saves its own again.
import { isEarlier, readAssignments } from '../../../shared/documents/assignments.ts';
import { jsonOrNull } from '../../../shared/redis/json.ts';
import type { Trust } from '../../../shared/trust/trust.ts';

/** A recovery's job may work for an hour, and as long may its monitor be away. */
const limits = { mostAgeMs: 2 * 3_600_000 };

export class BelievedAssignments {
  readonly #trust: Trust;
  #lastText: string | null = null;
  #newest: { readonly epoch: number; readonly revision: number } | null = null;

  constructor(trust: Trust) {
    this.#trust = trust;
  }

  /** What is not believed is told; see Trust. */
  believes(text: string): boolean {
    // The same as a moment ago, as a rule: it is asked before every change.
    if (!this.#trust.signs || text === this.#lastText) return true;
    const found = jsonOrNull(text);
    if (this.#trust.distrusts('assignments', '', found, limits) !== null) return false;
    const assignments = readAssignments(found);
    if (this.#newest !== null && isEarlier(assignments, this.#newest)) {
      this.#trust.refuse({ what: 'assignments', about: '', why: 'again' });
      return false;
    }
    this.#newest = assignments;
    this.#lastText = text;
    return true;
  }
}
