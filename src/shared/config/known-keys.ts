// The table of all configuration keys, which of them are secrets, and what a misspelt one was probably meant to be.
import { changesBetween } from '../ground/edit-distance.ts';
import { alarmKeys } from './keys/alarm.ts';
import { cephKeys } from './keys/ceph.ts';
import { fencingKeys, monitorKeys, scanKeys } from './keys/decisions.ts';
import type { Key, Section } from './keys/key.ts';
import { recoveryKeys } from './keys/recovery.ts';
import { mysqlKeys, openstackKeys, redisKeys, slackKeys } from './keys/services.ts';

/** In the order of config.example.ini. */
export const sections = {
  monitor: monitorKeys,
  redis: redisKeys,
  openstack: openstackKeys,
  mysql: mysqlKeys,
  scan: scanKeys,
  ceph: cephKeys,
  fencing: fencingKeys,
  recovery: recoveryKeys,
  slack: slackKeys,
  alarm: alarmKeys,
} as const;

const all = Object.values<Section>(sections).map(({ name, keys }) => [name, Object.values(keys)] as const);
const namesOf = ({ name, also }: Key<unknown>): string[] => (also === undefined ? [name] : [name, also]);

/** All names by section. [DEFAULT] may set any key besides its own, as all sections inherit from it. */
export const knownKeys: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  all.map(([section, keys]) => [section, keys.flatMap(namesOf)]),
);

const secrets = new Set(all.flatMap(([, keys]) => keys.filter(({ secret }) => secret).flatMap(namesOf)));

/** True for keys whose values no message, log or terminal may show. */
export const isSecret = (key: string): boolean => secrets.has(key);

/** What is wrong with a key in a section, and the key it probably should be; null for a known key. */
export function unknownKeyHint(section: string, key: string): string | null {
  const known = knownKeys[section] ?? [];
  const everywhere = Object.values(knownKeys).flat();
  if (known.includes(key) || (section === 'DEFAULT' && everywhere.includes(key))) return null;
  const home = Object.keys(knownKeys).find((name) => knownKeys[name]?.includes(key));
  if (home !== undefined) return `unknown key here, ignored; it belongs in [${home}]`;
  const near = nearest(key, known);
  return near !== null
    ? `unknown key, ignored; did you mean ${near}?`
    : `unknown key, ignored; the keys of [${section}] are ${known.join(', ')}`;
}

/** The same for a section. */
export function unknownSectionHint(section: string): string | null {
  const names = Object.keys(knownKeys);
  if (names.includes(section)) return null;
  const near = nearest(section.trim().toUpperCase(), names);
  return near !== null
    ? `unknown section, ignored; did you mean [${near}]?`
    : `unknown section, ignored; the sections are ${names.map((name) => `[${name}]`).join(', ')}`;
}

/** The candidate that takes the fewest single-letter changes; null when none is near enough to be meant. */
function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const changes = changesBetween(word, candidate);
    if (changes < fewest) {
      fewest = changes;
      best = candidate;
    }
  }
  return best;
}
