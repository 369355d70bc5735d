// Who is listed as having disks of instances open, and who owns their locks: how a cut-off checks itself, and how it is
// found out before whether that may be read at all.
import { disksOf, sistersOf } from '../storage/image-names.ts';
import type { AskedImage, ByImage, CannotTell, ImageClients, Limits, Storage } from '../storage/storage.ts';
import type { Asked } from './ask-instances.ts';

/** For a few images… */
const leastMs = 5_000;
/** …and for each one: librbd opens eight at once, in 16 ms each where Ceph is at peace. Absent ones cost next to nothing. */
const eachMs = 20;

/** `POOL/NAME` of everything that these instances may have. */
export const imagesOf = (instances: readonly Asked[], pools: readonly string[]): string[] =>
  instances.flatMap((one) => [...disksOf(one, pools), ...sistersOf(one, pools)]);

/** For one list of watchers or locks; no more than `mostMs`, but where that is too little for a few. */
export const readMs = (images: number, mostMs: number): number =>
  Math.max(leastMs, Math.min(leastMs + images * eachMs, mostMs));

interface DisksRead {
  readonly watchers: ByImage<ImageClients>;
  readonly locks: ByImage<ImageClients>;
}

/** Rejects with the signal's reason only. */
export async function readDisks(
  storage: Pick<Storage, 'watchers' | 'locks'>,
  images: readonly string[],
  limits: Limits,
): Promise<DisksRead> {
  const [watchers, locks] = await Promise.all([
    storage.watchers(images, limits),
    storage.locks(images, limits),
  ]);
  return { watchers, locks };
}

/** One of each kind, as Nova's disks and Cinder's have their parents in different pools: caps may lack for one alone. */
export function samplesOf<T extends Asked>(instances: readonly T[]): T[] {
  const samples = [
    instances.find(({ volumes }) => volumes.length === 0),
    instances.find(({ volumes }) => volumes.length > 0),
  ];
  return samples.flatMap((one) => one ?? []);
}

/** What several questions about images came to, by what was asked of each. */
type Answers = Partial<Record<'openers' | 'watchers' | 'locks', ByImage<ImageClients | AskedImage>>>;

/** The first disk that may not be read, in words; null: there is none. */
export const deniedIn = (answers: Answers): string | null =>
  firstIn(answers, ({ denied }) => denied === true);

/** The first disk that could not be read, in words; null: there is none. */
export const unreadIn = (answers: Answers): string | null => firstIn(answers, () => true);

function firstIn(answers: Answers, isMeant: (answer: CannotTell) => boolean): string | null {
  for (const [kind, byImage] of Object.entries(answers))
    for (const [image, answer] of byImage)
      if (answer.kind === 'cannot-tell' && isMeant(answer))
        return unreadText(image, kind === 'locks' ? 'locked' : 'open', answer);
  return null;
}

/** For people. */
export const unreadText = (image: string, how: 'open' | 'locked', { reason }: CannotTell): string =>
  `by whom ${image} is ${how} could not be read: ${reason}`;
