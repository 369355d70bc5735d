// Every reason Sonny can have for doing nothing, derived from the entries beside this file. A refusal is never only a
// log line: it is announced, tested, and listed in docs/refusals.md.
import { z } from 'zod';
import { cloudScope, hostScope, type Scope } from '../terms/scope.ts';
import type { RefusalEntry } from './entry.ts';
import { recoveryRefusals } from './of-recoveries.ts';
import { suspectRefusals } from './of-suspects.ts';
import { deadRefusals } from './of-the-dead.ts';
import { pictureRefusals } from './of-the-picture.ts';

/** All entries, in the order of the table in docs/refusals.md. */
export const refusalEntries = [
  ...pictureRefusals,
  ...suspectRefusals,
  ...deadRefusals,
  ...recoveryRefusals,
] as const;

export type Refusal = z.infer<(typeof refusalEntries)[number]['schema']>;
export type RefusalName = Refusal['name'];
export const refusalNames = refusalEntries.map(({ name }) => name) as unknown as readonly [
  RefusalName,
  ...RefusalName[],
];

type Schemas<T extends readonly RefusalEntry[]> = { [K in keyof T]: T[K]['schema'] };
const schemas = refusalEntries.map((entry) => entry.schema) as unknown as Schemas<typeof refusalEntries>;

/** A refusal as it crosses between processes. */
export const refusalSchema = z.discriminatedUnion('name', schemas);

const byName = new Map<string, RefusalEntry>(refusalEntries.map((entry) => [entry.name, entry]));

/** The entry of a refusal, by its name. */
export function refusalEntry({ name }: Pick<Refusal, 'name'>): RefusalEntry {
  return byName.get(name) as RefusalEntry;
}

/** The sentence that Slack, logs and terminals show for a refusal: what was seen, and that nothing was done. */
export const refusalSentence = (r: Refusal): string => refusalEntry(r).says(r);

/** The hosts a refusal is about (none: the whole cloud). */
export const refusalHosts = (r: Refusal): readonly string[] => refusalEntry(r).about(r);

/** What makes it another one worth saying, besides its name and hosts. */
export const refusalSignature = (r: Refusal): string => refusalEntry(r).sameWhen?.(r) ?? '';

/** What stands for it: its hosts, each by its incident, or the cloud. */
export function refusalScopes(r: Refusal): readonly Scope[] {
  const entry = refusalEntry(r);
  const hosts = entry.about(r);
  return entry.ofCloud === true || hosts.length === 0 ? [cloudScope] : hosts.map(hostScope);
}

/** Those about the cloud under the same condition take each other's place. */
export const refusalCondition = (r: Refusal): string => refusalEntry(r).condition?.(r) ?? r.name;

/** Does it say nothing about the host, only that a look at it failed? */
export const isDoubt = (r: Refusal): boolean => refusalEntry(r).doubt === true;
