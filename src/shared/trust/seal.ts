// The seal on a document: an HMAC over its canonical text, with the cloud, what it is for, when it was made and a nonce.
// Whoever can write to Redis can put documents there; only who has the key can seal them. Pure.
//
// Canonical is the text as JSON.stringify writes it, without the seal: who reads parses the document, takes the seal
// off, and writes it again, which gives the same text. A seal is one more field, so documents stay readable, and
// readers of a version before see nothing new.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What a document is for: the seal on one of them says nothing for another. */
export type Purpose = 'job' | 'outcome' | 'assignments' | 'state' | 'order' | 'fence-word' | 'journal';

/** What a seal is bound to besides the document. `subject`: which of its kind, such as a job's queue, name and id. */
export interface About {
  readonly cloud: string;
  readonly purpose: Purpose;
  readonly subject: string;
}

const sealSchema = z.object({
  /** When it was sealed (ms since the epoch), by the clock of whoever did. */
  atMs: z.number(),
  /** Tells it from every other one. */
  nonce: z.string().min(1).max(64),
  mac: z.string().max(64),
});
export type Seal = z.infer<typeof sealSchema>;

/** A key as a key file has it; see config/key-file.ts. */
export type Key = string;

/** Of one document: sealed by one of the keys, or why that cannot be said. */
type Found = { readonly seal: Seal } | 'unsigned' | 'wrong';

/** What makes a text the text of that very document: nothing in it may be moved into another field unnoticed. */
function macOf(text: string, about: About, { atMs, nonce }: Pick<Seal, 'atMs' | 'nonce'>, key: Key): Buffer {
  const head = JSON.stringify(['sonny seal 1', about.cloud, about.purpose, about.subject, atMs, nonce]);
  return createHmac('sha256', key).update(`${head}\n`).update(text).digest();
}

/** The seal of a document. */
export function sealOf(
  document: object,
  about: About,
  stamp: Pick<Seal, 'atMs' | 'nonce'>,
  key: Key,
): { readonly text: string; readonly seal: Seal } {
  const text = JSON.stringify(document);
  return { text, seal: { ...stamp, mac: macOf(text, about, stamp, key).toString('base64url') } };
}

/** Does it bear a seal, whether or not that is right? */
export const isSigned = (document: unknown): document is { seal: unknown } =>
  typeof document === 'object' && document !== null && 'seal' in document;

/** Is this document sealed for this purpose by one of these keys? */
export function openSeal(document: unknown, about: About, keys: readonly Key[]): Found {
  if (!isSigned(document)) return 'unsigned';
  const { seal: given, ...rest } = document;
  const seal = sealSchema.safeParse(given).data;
  if (seal === undefined) return 'wrong';
  const text = JSON.stringify(rest);
  const mac = Buffer.from(seal.mac, 'base64url');
  // All of them, however soon one fits: how long it takes tells nothing.
  const fits = keys.map((key) => {
    const right = macOf(text, about, seal, key);
    return mac.length === right.length && timingSafeEqual(mac, right);
  });
  return fits.includes(true) ? { seal } : 'wrong';
}

/** The document with its seal taken off, as it was sealed. */
export function withoutSeal(document: unknown): unknown {
  if (!isSigned(document)) return document;
  const { seal: _seal, ...rest } = document;
  return rest;
}
