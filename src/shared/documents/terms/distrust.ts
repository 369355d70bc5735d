// A document in Redis that was not believed, or was only because nothing better could be had: what it was, and why.
import { z } from 'zod';

const documents = {
  job: 'a job for ns4',
  outcome: "a job's result",
  assignments: "the monitor's assignments",
  state: "the monitor's state",
  order: "an operator's order",
  'fence-word': 'the word that a host is off',
  journal: 'the journal of a recovery',
  bystanders: 'who else answered at a shot',
  claim: 'the claim of a recovery on a target',
} as const;

const whys = {
  unsigned: 'is not signed: whoever wrote it has no key file, or does not belong here',
  wrong: 'is not signed by our key: whoever wrote it has another key file, or it was changed since',
  future: 'was signed in the future: the clocks differ by more than a minute, or it is forged',
  old: 'was signed too long ago to count',
  again: 'was taken already: somebody put it back, or Redis lost its last moments',
  'proof-ahead': 'holds a proof of the future, which does not count',
  'not-ours': 'is that of another host or recovery than it stands for',
  'not-understood': 'makes no sense: another version wrote it, or nobody of ours',
  'no-key': 'is signed, and this process has no key to see by whom: its [REDIS] key_file is missing',
  accepted: 'is not signed, and counts all the same, as [REDIS] unsigned is accept',
} as const;

const keys = <T extends object>(table: T) =>
  Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];

export const distrustSchema = z.object({
  what: z.enum(keys(documents)),
  /** Which of its kind, as far as it has a name: a job's id, a host. */
  about: z.string(),
  why: z.enum(keys(whys)),
});
export type Distrust = z.infer<typeof distrustSchema>;

/** Did it count, in spite of that? */
export const isTaken = ({ why }: Pick<Distrust, 'why'>): boolean => why === 'no-key' || why === 'accepted';

/** One sentence, without its full stop. */
export function distrustText({ what, about, why }: Distrust): string {
  const name = about === '' ? documents[what] : `${documents[what]} (${about})`;
  return `${name} ${whys[why]}`;
}
