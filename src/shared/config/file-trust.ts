// Who may have written a file or put another in its place, and who may read what it holds. Pure; guarded-file.ts asks.

/** What the file system says of a file or folder. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  /** With the sticky bit and whatever else it has. */
  readonly mode: number;
}

/** Who this process is. */
export interface Self {
  readonly uid: number;
  readonly gid: number;
}

const othersWrite = 0o022;
const groupWrites = 0o020;
const everybodyWrites = 0o002;
const groupReads = 0o040;
const everybodyReads = 0o004;
const sticky = 0o1000;

/** A program must stay one. */
const plainMode = (mode: number): string => ((mode & 0o111) === 0 ? '0600' : '0755');

const modeText = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/** Why others than root and this user decide what a file says; null: they do not. */
export function whoWrites(file: Ownership, self: Self): string | null {
  if (!isOurs(file, self)) return `belongs to uid ${file.uid}, expected ${owners(self)}`;
  return (file.mode & othersWrite) === 0
    ? null
    : `found mode ${modeText(file.mode)}, others than its owner may write it; expected ${plainMode(file.mode)}`;
}

/**
 * Why others may put another file in the place of one in this folder; null: they may not. In a sticky folder (/tmp) only
 * the owner of a file may; the group of root is root.
 */
export function whoReplaces(folder: Ownership, self: Self): string | null {
  if (!isOurs(folder, self)) return `belongs to uid ${folder.uid}, expected ${owners(self)}`;
  const open = folder.gid === 0 ? everybodyWrites : everybodyWrites | groupWrites;
  return (folder.mode & open) === 0 || (folder.mode & sticky) !== 0
    ? null
    : `has mode ${modeText(folder.mode)}, others than its owner may put another file in its place; expected 0755`;
}

/**
 * Who else may read a file with secrets in it; null: nobody. root's file that is readable by the group this service runs
 * as is how packages hand out a configuration that the service cannot write. `handedOver`: the service manager made it
 * for this process (systemd's LoadCredential); the bits of the group are the mask of an access list there.
 */
export function whoReads(file: Ownership, self: Self, handedOver = false): string | null {
  const ownGroup = self.uid !== 0 && file.uid === 0 && file.gid === self.gid;
  const open = ownGroup || handedOver ? everybodyReads : everybodyReads | groupReads;
  return (file.mode & open) === 0
    ? null
    : `found mode ${modeText(file.mode)}, others than its owner may read its passwords; expected 0600`;
}

const isOurs = ({ uid }: Ownership, self: Self): boolean => uid === 0 || uid === self.uid;

const owners = ({ uid }: Self): string =>
  uid === 0 ? 'root, as whom this process runs' : `root or the user of this process (uid ${uid})`;
