// Asks who has the disks of some instances open: each by all names that its images may have, all at once.
import type { Server } from '../../shared/documents/inventory.ts';
import { disksOf, isVolume } from '../storage/image-names.ts';
import { type AskedImage, leastMarginMs, openersMs, type Storage } from '../storage/storage.ts';
import type { DisksWord } from './judge.ts';

/** An answer takes milliseconds; with an opener that does not answer, a second. */
export const askMs = openersMs + leastMarginMs;

export type Asked = Pick<Server, 'id' | 'volumes'>;

/** What one instance's disks came to, with the images that have openers. */
export interface AskedWord extends DisksWord {
  readonly images: readonly string[];
  /** In none of the pools is a disk of its own, says Ceph; its volumes may be there. */
  readonly isDiskAbsent: boolean;
}

/**
 * By id. An instance none of whose images is on this Ceph has no openers, and no trouble. Never rejects but with the
 * signal's reason.
 */
export async function askInstances(
  storage: Pick<Storage, 'ask'>,
  pools: readonly string[],
  instances: readonly Asked[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, AskedWord>> {
  const imagesOf = new Map(instances.map((one) => [one.id, disksOf(one, pools)]));
  const answers = await storage.ask([...imagesOf.values()].flat(), { timeoutMs: askMs, signal });
  return new Map([...imagesOf].map(([id, images]) => [id, wordOf(images, answers)]));
}

/** What was not answered for is trouble, whatever the other images say. */
function wordOf(images: readonly string[], answers: ReadonlyMap<string, AskedImage>): AskedWord {
  const asked = images.map((image) => ({ image, answer: answers.get(image) }));
  const trouble = asked.find(({ answer }) => answer === undefined || answer.kind === 'cannot-tell');
  const there = asked.flatMap(({ image, answer }) =>
    answer?.kind === 'asked' ? [{ image, openers: answer.openers }] : [],
  );
  const open = there.filter(({ openers }) => openers.length > 0);
  return {
    disks: there.map(({ openers }) => openers.map(({ address, answered }) => ({ address, answered }))),
    trouble:
      trouble === undefined
        ? null
        : trouble.answer?.kind === 'cannot-tell'
          ? trouble.answer.reason
          : `${trouble.image} was not asked`,
    images: open.map(({ image }) => image),
    isDiskAbsent: asked.every(({ image, answer }) => isVolume(image) || answer?.kind === 'absent'),
  };
}
