// What `ns4 --check` finds out of the disks of a cloud that lives, by the calls of a recovery: whether they may be read.
import type { Picture } from '../../shared/picture/picture.ts';
import { standingOf } from '../../shared/rules/guests.ts';
import { deniedIn, imagesOf, readDisks, readMs, samplesOf, unreadIn } from '../disks/read-disks.ts';
import { disksOf } from '../storage/image-names.ts';
import type { Storage } from '../storage/storage.ts';

/** Hypervisors of which an instance of each kind is asked. */
const mostHosts = 50;
/** For each question, however many disks it is about. */
const mostMs = 15_000;

export interface DisksSurvey {
  /** Which disk may not be read, in words; null: all that were tried may be. */
  readonly denied: string | null;
  /** The same of one that could not be read for another reason. */
  readonly unread: string | null;
}

/** Rejects with the signal's reason only. */
export async function surveyDisks(
  storage: Pick<Storage, 'ask' | 'watchers' | 'locks'>,
  pools: readonly string[],
  picture: Pick<Picture, 'hypervisors' | 'hostsRead' | 'serversOf'>,
  signal: AbortSignal,
): Promise<DisksSurvey> {
  const read = new Set(picture.hostsRead);
  const samples = picture.hypervisors
    .filter(({ host }) => read.has(host))
    .map(({ host }) =>
      samplesOf(picture.serversOf(host).filter((one) => standingOf(one).tells === 'testifies')),
    )
    .filter((some) => some.length > 0)
    .slice(0, mostHosts)
    .flat();
  const images = imagesOf(samples, pools);
  const limits = { timeoutMs: readMs(images.length, mostMs), signal };
  const [asked, listed] = await Promise.all([
    storage.ask(
      samples.flatMap((one) => disksOf(one, pools)),
      limits,
    ),
    readDisks(storage, images, limits),
  ]);
  const all = { openers: asked, ...listed };
  return { denied: deniedIn(all), unread: unreadIn(all) };
}
