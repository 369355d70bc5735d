// Which microversion to speak: the highest that both sides allow. Pure, and the request that asks for the range.
import { z } from 'zod';
import { CloudError } from '../cloud/cloud.ts';
import type { ServiceName } from '../credentials/cloud-credentials.ts';
import { serviceTitles } from './catalogue.ts';
import type { Session } from './session.ts';
import { validated } from './validation.ts';

interface VersionRange {
  readonly min: string;
  readonly max: string;
}

/** From 2.53 ids are UUIDs and os-services is changed by id; up to 2.87 hypervisors tell their size and use. */
export const computeRange: VersionRange = { min: '2.53', max: '2.87' };
/** Allocations with consumer_generation are one shape from 1.28 on. */
export const placementRange: VersionRange = { min: '1.28', max: '1.28' };

/**
 * The highest version within both ranges.
 * @throws CloudError (not-done) that tells both ranges when they have none in common
 */
export function negotiate(offered: VersionRange, wanted: VersionRange, title: string): string {
  const best = isLater(offered.max, wanted.max) ? wanted.max : offered.max;
  if (isLater(wanted.min, best) || isLater(offered.min, best)) {
    const needed = wanted.min === wanted.max ? wanted.min : `${wanted.min} to ${wanted.max}`;
    throw new CloudError(
      'not-done',
      `${title} speaks microversions ${offered.min} to ${offered.max}; Sonny needs ${needed}`,
      null,
    );
  }
  return best;
}

function isLater(a: string, b: string): boolean {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor > bMajor || (aMajor === bMajor && aMinor > bMinor);
}

const microversion = z.string().regex(/^\d{1,4}\.\d{1,4}$/);
/** Nova's {version: {version, min_version}}; Placement's {versions: [{max_version, min_version}]}. */
const novaRoot = z.object({
  version: z
    .object({ version: microversion, min_version: microversion })
    .transform((v) => ({ max: v.version, min: v.min_version })),
});
const placementRoot = z.object({
  versions: z
    .array(z.object({ max_version: microversion, min_version: microversion }))
    .min(1)
    .max(100)
    .transform((all) => all.map((v) => ({ max: v.max_version, min: v.min_version }))),
});

/** Asks a service for the range it offers. @throws CloudError */
export async function offeredRange(
  session: Session,
  service: Extract<ServiceName, 'compute' | 'placement'>,
  signal: AbortSignal,
): Promise<VersionRange> {
  const what = `the versions of ${serviceTitles[service]}`;
  const reply = await session.call({ service, method: 'GET', path: '/' }, signal);
  if (service === 'compute') return validated(novaRoot, reply.body, what).version;
  const [range] = validated(placementRoot, reply.body, what).versions;
  if (range === undefined) throw new CloudError('not-done', `${what}: none`, null);
  return range;
}
