// What names, ids and texts from OpenStack may be: judged here, once, before anything is built on them. Pure.
import { isIP } from 'node:net';
import { z } from 'zod';
import { quoted } from '../../shared/ground/plain.ts';
import { CloudError } from './cloud.ts';

/** A service host, or a hypervisor: what goes into fence agents' input, requests and commands. */
export const hostName = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/, 'no name of a host (letters, digits, ".", "_", "-")');

/**
 * A UUID, or a number: what Nova, Neutron and Cinder make ids of. It goes into paths of requests, rows of a database and
 * names of disks, where dots, slashes, blanks and signs would mean something.
 */
export const id = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform(String)
  .pipe(
    z
      .string()
      .regex(/^(\d{1,19}|[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12})$/i, 'no id (a UUID, or a number)'),
  );

/** An id that is only compared: OVN's agents have those of their chassis, which people choose. */
export const opaqueId = z.union([z.string().min(1).max(255), z.number().int()]).transform(String);

const longestName = 255;
const longestWords = 500;

/** A text of at most `most` characters; what is longer is cut. */
const cut = (most: number) => z.string().transform((text) => text.slice(0, most));

/** A name that people chose: it may hold anything, and is cut. */
export const name = cut(longestName);
/** A service's own words. */
export const words = cut(longestWords);
/** A word that services compare: a state, a type, a binary. */
export const term = z.string().regex(/^[\w:. /-]{1,100}$/, 'no word of a service');

export const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'no IP address');

/** Nova writes "none" as null, and in places as an empty string. */
export const orNone = <T extends z.ZodType>(type: T) =>
  z.union([z.literal('').transform(() => null), z.null(), type]);

const mostParts = 1_000;

/** Those parts of a list within a record that make sense; a list that is none is an error, and so is one that is endless. */
export const sensible = <T extends z.ZodType>(part: T) =>
  z
    .array(z.unknown())
    .max(mostParts)
    .transform((parts) =>
      parts.flatMap((one): z.infer<T>[] => {
        const parsed = part.safeParse(one);
        return parsed.success ? [parsed.data as z.infer<T>] : [];
      }),
    );

/**
 * An id as a part of a path. Those of journals come from Redis, where "." and ".." would lead elsewhere.
 * @throws CloudError when it could be anything else than one name in a path
 */
export function inPath(text: string): string {
  if (/^[\w-]{1,64}$/.test(text)) return text;
  throw new CloudError('not-done', `${quoted(text)} is no id, so nothing was asked about it`, null);
}
