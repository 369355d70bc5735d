// By what a hypervisor could be told dead for certain if it died now, from what its fence levels said when they were
// asked just now. Pure.
import type { FencingMode } from '../../shared/documents/terms/fencing-mode.ts';
import type { AddressBook } from '../disks/address-book.ts';

/** What one level said. */
export interface LevelWord {
  readonly kind: 'device' | 'ceph' | 'listener';
  /** All of it could be asked. */
  readonly well: boolean;
  /** All of it says that the host is off, or cut off. */
  readonly isOff: boolean;
}

export type Proof =
  /** Its fence devices are told "off", and say that it is. */
  | 'device'
  /** It is cut off from Ceph, by the fence level of that name. */
  | 'ceph'
  /** Another vantage point tells the devices. */
  | 'elsewhere'
  /** Nothing is proven: it is silent to every sense. */
  | 'silence'
  /** The same, and it is cut off from Ceph as well. */
  | 'cut-off';

/** `why`: words that follow the host's name. */
export type ProofToday = { readonly by: Proof } | { readonly by: null; readonly why: string };

interface ProofCase {
  readonly mode: FencingMode;
  /** Of all levels in their order; null: this ns4 tells no device. */
  readonly levels: readonly LevelWord[] | null;
  /** Why nobody could cut it off from Ceph; null: it could be. Undefined: nobody would, nor need to. */
  readonly notCutOff?: string | null | undefined;
}

export function proofToday({ mode, levels, notCutOff }: ProofCase): ProofToday {
  if (mode === 'required') return levels === null ? { by: 'elsewhere' } : byLevels(levels);
  if (notCutOff === undefined) return { by: 'silence' };
  // Without a proof nothing moves off a host that was not cut off (not-cut-off).
  return notCutOff === null ? { by: 'cut-off' } : { by: null, why: notCutOff };
}

/**
 * Why nobody could cut off a host from Ceph, by the storage addresses it has now: null where it could be, undefined where
 * none of its disks is there to be cut off from. An address that is another's as well cuts off nobody, whatever else the
 * host has (cut-off.ts).
 */
export function whyNotCutOff(
  { own, shared }: ReturnType<AddressBook['presentOf']>,
  hasNothingHere: boolean,
): string | null | undefined {
  if (hasNothingHere && (own.length === 0 || shared.length > 0)) return undefined;
  const cannot = 'could not be cut off from Ceph';
  if (shared.length > 0) return `${cannot}: other hypervisors open disks from ${shared.join(', ')} as well`;
  return own.length > 0 ? null : `${cannot}: it is not known from which address it alone opens disks`;
}

function byLevels(levels: readonly LevelWord[]): ProofToday {
  // A device that says off of a host that lives is not the host's.
  const useful = levels.filter(({ kind, well, isOff }) => kind !== 'listener' && well && !isOff);
  const [first] = useful;
  if (first !== undefined) return { by: first.kind === 'ceph' ? 'ceph' : 'device' };
  const others = levels.filter(({ kind }) => kind !== 'listener');
  if (others.length === 0) {
    const what = levels.length === 0 ? 'has no fence level' : 'has fence levels that only listen';
    return { by: null, why: `${what}, so only your word could prove it off (ns4 --confirm-fenced)` };
  }
  const isOff = others.some((level) => level.well && level.isOff);
  return {
    by: null,
    why: isOff
      ? 'has fence levels that say it is off already, though it lives'
      : 'has no fence level that can be asked now',
  };
}
