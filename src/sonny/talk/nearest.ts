// Names that somebody may have meant. Pure.
import { changesBetween } from '../../shared/ground/edit-distance.ts';

/** Longer names are compared by their beginnings and parts only: distances of thousands of long names take seconds. */
const longestCompared = 64;

/** Up to `most` of the names that come near to what was asked for, the nearest first. */
export function nearestNames(asked: string, names: Iterable<string>, most = 3): string[] {
  const wanted = asked.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { name: string; distance: number }[] = [];
  for (const name of new Set(names)) {
    const distance = distanceOf(wanted, name.toLowerCase(), limit);
    if (distance <= limit) found.push({ name, distance });
  }
  found.sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name));
  return found.slice(0, most).map(({ name }) => name);
}

function distanceOf(wanted: string, name: string, limit: number): number {
  // A part of the name, such as the host of an FQDN or the beginning of a UUID, is nearer than any misspelling.
  if (wanted.length >= 2 && name.includes(wanted)) return 0.5;
  if (wanted.length > longestCompared || Math.abs(wanted.length - name.length) > limit)
    return Number.POSITIVE_INFINITY;
  return changesBetween(wanted, name);
}
