// What `ns4 --check` finds out of the disks of a cloud that lives, by the calls of a recovery: whether they may be read, and
// which are on none of the pools.
import type { Server } from '../../shared/documents/inventory.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { standingOf } from '../../shared/rules/guests.ts';
import { type MissingDisk, missingDisks } from '../disks/missing-disks.ts';
import { deniedIn, imagesOf, readDisks, readMs, samplesOf, unreadIn } from '../disks/read-disks.ts';
import { openThere } from '../recovery/guests-still-there.ts';
import { disksOf } from '../storage/image-names.ts';
import type { ByImage, ImageClients, Storage } from '../storage/storage.ts';

/** Hypervisors of which an instance of each kind is asked. */
const mostHosts = 50;
/** For each question, however many disks it is about; and for looking for all of them. */
const mostMs = 15_000;
/** Names of images in one question. */
const atOnce = 2_000;

export interface DisksSurvey {
  /** Which disk may not be read, in words; null: all that were tried may be. */
  readonly denied: string | null;
  /** The same of one that could not be read for another reason. */
  readonly unread: string | null;
  /** Disks of running instances that are on none of the pools. */
  readonly missing: readonly MissingDisk<Server>[];
  /** Hosts of whose instances no disk is on any of the pools: they need not be cut off, and are evacuated without. */
  readonly nothingHere: ReadonlySet<string>;
  /** Instances that there was no time to look at. */
  readonly unlooked: number;
}

interface SurveyParts {
  readonly storage: Pick<Storage, 'ask' | 'watchers' | 'locks'>;
  readonly pools: readonly string[];
  readonly signal: AbortSignal;
  /** Absent: that of the machine. */
  readonly clock?: { steadyMs(): number };
}

/** Rejects with the signal's reason only. */
export async function surveyDisks(picture: Picture, parts: SurveyParts): Promise<DisksSurvey> {
  const { storage, pools, signal } = parts;
  const read = new Set(picture.hostsRead);
  const hosts = picture.hypervisors.map(({ host }) => host).filter((host) => read.has(host));
  const samples = hosts
    .map((host) => samplesOf(picture.serversOf(host).filter(isRunning)))
    .filter((some) => some.length > 0)
    .slice(0, mostHosts)
    .flat();
  const images = imagesOf(samples, pools);
  const limits = { timeoutMs: readMs(images.length, mostMs), signal };
  const [openers, listed] = await Promise.all([
    storage.ask(
      samples.flatMap((one) => disksOf(one, pools)),
      limits,
    ),
    readDisks(storage, images, limits),
  ]);
  const answers = { openers, ...listed };
  const instances = hosts.flatMap((host) => picture.serversOf(host));
  const { found, looked } = await lookForAll(instances, parts);
  const isLooked = new Set(looked);
  const isAbsent = (server: Server) =>
    isLooked.has(server) && disksOf(server, pools).every((image) => found.get(image)?.kind === 'absent');
  return {
    ...{ denied: deniedIn(answers), unread: unreadIn(answers) },
    missing: missingDisks(looked.filter(isRunning), pools, found),
    nothingHere: new Set(hosts.filter((host) => openThere(host, picture, null).every(isAbsent))),
    unlooked: instances.length - looked.length,
  };
}

const isRunning = (server: Server): boolean => standingOf(server).tells === 'testifies';

/** Which images are there, by the question that costs least. `looked`: instances that could be asked about in time. */
async function lookForAll(
  instances: readonly Server[],
  { storage, pools, signal, clock = systemClock }: SurveyParts,
): Promise<{ readonly found: ByImage<ImageClients>; readonly looked: readonly Server[] }> {
  const untilMs = clock.steadyMs() + mostMs;
  const found = new Map<string, ImageClients>();
  let next = 0;
  while (next < instances.length && clock.steadyMs() < untilMs) {
    const images: string[] = [];
    for (; next < instances.length && images.length < atOnce; next += 1)
      images.push(...disksOf(instances[next] as Server, pools));
    const limits = { timeoutMs: untilMs - clock.steadyMs(), signal };
    for (const [image, answer] of await storage.locks(images, limits)) found.set(image, answer);
  }
  return { found, looked: instances.slice(0, next) };
}
