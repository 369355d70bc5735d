// What the reason of a disabled compute service says: set aside as a spare, recovered by a Sonny (by which one, and
// where to), disabled by Nova itself, or by an operator for a purpose of his own. Pure.

/** Nova's column for the reason, in characters. */
const longestReason = 255;

/** Every mark begins so, also those of earlier versions, which end with the target. */
const resurrection = 'sonny resurrection on ';

/** The mark that a recovery leaves on the service of the dead host. */
export interface RecoveryMark {
  /** Where the instances went, as one text: hosts, comma-separated. */
  readonly targets: string;
  /** Whose it is; null: an earlier version wrote it, which did not say. */
  readonly by: MarkOwner | null;
}

/** By whom a host was forced down. */
export interface MarkOwner {
  readonly recovery: string;
  /** Which Sonny: two of them that share no Redis may give their recoveries the same id within a second. */
  readonly sonny: string;
}

/**
 * Why the compute service of a host that Sonny recovers is disabled: who does it, and where its instances go. Never
 * longer than Nova's column: it is the targets that are cut, as the owner is compared.
 */
export function resurrectionReason(targets: string, by: MarkOwner | null): string {
  const owner = by === null ? '' : ` (${by.recovery} ${by.sonny})`;
  const room = longestReason - resurrection.length - owner.length;
  const characters = [...targets];
  const fitting = characters.length <= room ? targets : `${characters.slice(0, room - 1).join('')}…`;
  return resurrection + fitting + owner;
}

/** The mark that a reason is; null: it is none. */
export function recoveryMarkOf(reason: string | null): RecoveryMark | null {
  const found = reason?.trim() ?? '';
  if (!found.toLowerCase().startsWith(resurrection)) return null;
  const rest = found.slice(resurrection.length);
  return ownedMark(rest) ?? { targets: rest, by: null };
}

/** "hv02, hv03 (RECOVERY SONNY)". */
function ownedMark(text: string): RecoveryMark | null {
  const between = text.lastIndexOf(' ');
  const open = text.lastIndexOf(' (', between - 1);
  if (!text.endsWith(')') || open < 0) return null;
  const [recovery, sonny] = [text.slice(open + 2, between), text.slice(between + 1, -1)];
  const isWord = (part: string) => part !== '' && !/\s/.test(part);
  return isWord(recovery) && isWord(sonny) ? { targets: text.slice(0, open), by: { recovery, sonny } } : null;
}

/** Does it say anywhere that a recovery was here, also where somebody wrote something before the mark? */
export const mentionsRecovery = (reason: string | null): boolean =>
  (reason ?? '').toLowerCase().includes(resurrection.trimEnd());

/** Do the targets of a mark name this host? Of a list that was cut, only what is left of it counts. */
export const marksTarget = ({ targets }: RecoveryMark, host: string): boolean =>
  targets.split(', ').includes(host);

/** "spare parts donor, do not use" tells of a wreck. */
const isOfSpareParts = (reason: string): boolean =>
  /^\s*spare[\s-]*parts?(?![\p{L}\p{N}_])/u.test(reason.toLowerCase());

/** Is it the reason of a spare: does it begin with the word "spare", in any case? */
export const isSpareReason = (reason: string | null): boolean =>
  /^\s*spare(?![\p{L}\p{N}_])/u.test((reason ?? '').toLowerCase()) && !isOfSpareParts(reason ?? '');

/**
 * Why a reason in which "spare" occurs is not that of a spare, as words that follow "is no spare: its reason"; null
 * where nobody would take it for one. The original took every one of them.
 */
export function notASpareBecause(reason: string | null): string | null {
  const text = reason ?? '';
  if (!/spare/i.test(text) || isSpareReason(text) || recoveryMarkOf(text) !== null) return null;
  return isOfSpareParts(text) ? 'speaks of spare parts' : 'contains the word but does not begin with it';
}

/** Nova's libvirt driver disables its own service when it loses libvirt, and says so with this prefix. */
export const isByNovaItself = (reason: string | null): boolean => (reason ?? '').startsWith('AUTO: ');
