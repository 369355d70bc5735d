// Reads the files that decide what runs and who logs in: each is opened once, judged by what was opened, and so are all
// folders on the way to it, those of symbolic links too. By file-trust.ts's rules; the text comes from the same opening.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { type Self, whoReads, whoReplaces, whoWrites } from './file-trust.ts';
import { decoded, fileProblem, isMissing } from './read-text.ts';

/**
 * What it means that others may read the file: it holds a secret and is refused, or warned of; or it holds none.
 */
type SecretRule = 'refuse' | 'warn' | 'none';

/**
 * How it is read. `pem`: what a PEM file says between its certificates is for people, in whatever encoding they wrote it.
 */
interface Reading {
  readonly secret: SecretRule;
  readonly pem?: boolean;
}

/** A file that nobody else wrote. A byte order mark stays in the text. */
export interface GuardedText {
  readonly text: string;
  /** Who else may read it, as a sentence; null: nobody. For whoever learns from the text whether it holds a secret. */
  readonly exposed: string | null;
  /** Each a sentence about the file, without its name; never with the rules "refuse" and "none". */
  readonly warnings: readonly string[];
}

/** Why a file was not read. `missing`: there is none. */
export interface Unread {
  readonly problem: string;
  readonly missing: boolean;
}

/** As the kernel has it. */
const mostLinks = 40;

const unread = (problem: string): Unread => ({ problem, missing: false });

/**
 * The text of a UTF-8 file, or one sentence on why there is none: it cannot be read, or others than root and this user
 * may write it or put another in its place.
 */
export function readGuarded(path: string, { secret, pem = false }: Reading): GuardedText | Unread {
  const absolute = resolve(path);
  let bytes: Buffer;
  let opened: Stats;
  let mistrust: string | null;
  try {
    const fd = openSync(absolute, constants.O_RDONLY);
    try {
      opened = fstatSync(fd);
      bytes = readFileSync(fd);
    } finally {
      closeSync(fd);
    }
    mistrust = whyNot(absolute, opened);
  } catch (error) {
    return { problem: fileProblem(error), missing: isMissing(error) };
  }
  if (mistrust !== null) return unread(mistrust);
  const exposed = whoReads(opened, self(), isHandedOver(absolute));
  if (secret === 'refuse' && exposed !== null) return unread(exposed);
  const text = decoded(bytes) ?? (pem ? bytes.toString('latin1') : null);
  if (text === null) return unread('found bytes that are not UTF-8, expected a text in UTF-8');
  return { text, exposed, warnings: secret === 'warn' && exposed !== null ? [exposed] : [] };
}

/** As `readGuarded`, with its rule of `pem`; whether others may read it depends on what it holds. */
export function readSecretly(
  path: string,
  isSecret: (text: string) => boolean,
  { pem = false }: Pick<Reading, 'pem'> = {},
): GuardedText | Unread {
  const read = readGuarded(path, { secret: 'none', pem });
  return 'text' in read && read.exposed !== null && isSecret(read.text) ? unread(read.exposed) : read;
}

/** Why a program must not be run: others may write it or put another in its place. Null: it may be run. */
export function programProblem(path: string): string | null {
  try {
    return whyNot(path, statSync(path));
  } catch (error) {
    return fileProblem(error);
  }
}

function whyNot(path: string, opened: Stats): string | null {
  const written = whoWrites(opened, self());
  // A pipe that whoever starts us hands over (/dev/stdin, a secret store's) lies in no folder.
  return written ?? (opened.isFile() ? replaceable(path, opened) : null);
}

/** Goes the way that the kernel goes, step by step. */
function replaceable(path: string, opened: Stats): string | null {
  const steps = path.split(sep).filter(Boolean);
  let at: string = sep;
  let found: Stats = lstatSync(at);
  let links = 0;
  for (;;) {
    if (found.isDirectory()) {
      const why = whoReplaces(found, self());
      if (why !== null) return `the folder ${at} ${why}`;
    }
    const step = steps.shift();
    if (step === undefined) break;
    const next = step === '..' ? dirname(at) : join(at, step);
    found = lstatSync(next);
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    // In a sticky folder anybody may lay a link.
    const why = whoWrites({ uid: found.uid, gid: found.gid, mode: 0 }, self());
    if (why !== null) return `the link ${next} ${why}`;
    links += 1;
    if (links > mostLinks) return 'too many symbolic links';
    const target = readlinkSync(next);
    steps.unshift(...target.split(sep).filter((part) => part !== '' && part !== '.'));
    if (target.startsWith(sep)) at = sep;
    found = lstatSync(at);
  }
  return found.dev === opened.dev && found.ino === opened.ino ? null : 'was replaced while it was read';
}

function self(): Self {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/** Below the folder that systemd made for the credentials of this very service. */
function isHandedOver(path: string): boolean {
  const folder = process.env.CREDENTIALS_DIRECTORY;
  return folder !== undefined && folder !== '' && dirname(path) === resolve(folder);
}
