// Are these the assignments that a monitor of ours saved, and not older ones than this ns4 saw already? Others count as
// none: the leader notices that Redis does not hold what it saved, and saves its own again.
import { type Assignments, isEarlier, readAssignments } from '../documents/assignments.ts';
import type { Trust } from './trust.ts';

/** A recovery's job may work for an hour, and as long may its monitor be away. */
const limits = { mostAgeMs: 2 * 3_600_000 };

export class BelievedAssignments {
  readonly #trust: Trust;
  #lastText: string | null = null;
  #newest: { readonly epoch: number; readonly revision: number } | null = null;

  constructor(trust: Trust) {
    this.#trust = trust;
  }

  /** Null: there are none, none that can be read, or none that are believed. */
  read(text: string): Assignments | null {
    try {
      return this.believes(text) ? readAssignments(JSON.parse(text)) : null;
    } catch {
      return null;
    }
  }

  /** What is not believed is told; see Trust. */
  believes(text: string): boolean {
    // The same as a moment ago, as a rule: it is asked before every change.
    if (!this.#trust.signs || text === this.#lastText) return true;
    const found: unknown = JSON.parse(text);
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
