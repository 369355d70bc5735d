// Gates: the named reasons for which a dead host is not recovered. Each is asked on its own, in order; the first
// refusal counts. The monitor asks its list before it makes a plan, ns4 asks its own again with fresh facts.
import type { Refusal, RefusalName } from '../../documents/refusals/refusals.ts';

/** One reason to refuse. `C` is the case that it is asked about, `P` what is known of the cloud, `R` the policy. */
export interface Gate<C, P, R> {
  /** That of the refusal it is known by; operators waive it, and mutations take it out, by this name. */
  readonly name: RefusalName;
  /** What goes wrong without it. */
  readonly why: string;
  /**
   * May an operator waive it by name (`--despite`)? Never where a sign of life of the host itself is asked for. by-word:
   * only together with his word of what it is about, and the host's name typed.
   */
  readonly waivable: boolean | 'by-word';
  check(about: C, picture: P, policy: R): Refusal | null;
}

/** The refusal of the first gate that holds, apart from those waived; null: all let it pass. */
export function askGates<C, P, R>(
  gates: readonly Gate<C, P, R>[],
  about: C,
  picture: P,
  policy: R,
  despite: readonly string[],
): Refusal | null {
  for (const gate of gates) {
    if (gate.waivable !== false && despite.includes(gate.name)) continue;
    const refusal = gate.check(about, picture, policy);
    if (refusal !== null) return refusal;
  }
  return null;
}
