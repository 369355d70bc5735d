// What is said between ns4 and its Ceph helper: lines of JSON, each answer checked before anybody believes it.
import { z } from 'zod';

/** How the helper reaches Ceph. Only the path of a keyring, never a key. */
export interface CephAccess {
  /** ceph.conf; null: where Ceph looks by itself. */
  readonly conf: string | null;
  /** As Nova's `rbd_user`; `client.` before it is taken too. */
  readonly user: string;
  /** Null: where Ceph looks by itself. */
  readonly keyring: string | null;
  /** Of Nova's and Cinder's disks. */
  readonly pools: readonly string[];
}

/** The helper's first line. */
export const configLine = ({ conf, user, keyring, pools }: CephAccess): object => ({
  conf,
  user: user.replace(/^client\./, ''),
  keyring,
  pools,
});

/** What it can be asked; see `Storage` for what the answers mean. */
export type Question =
  | { readonly do: 'hello' | 'blocklist-list' }
  | { readonly do: 'ask'; readonly images: readonly string[]; readonly openersS: number }
  | { readonly do: 'watchers' | 'locks'; readonly images: readonly string[] }
  | { readonly do: 'blocklist-add'; readonly addresses: readonly string[]; readonly seconds: number }
  | { readonly do: 'blocklist-remove'; readonly addresses: readonly string[] }
  | { readonly do: 'barrier'; readonly pools: readonly string[] };

/** A line of the helper. */
export const replySchema = z.union([
  z.object({ id: z.number().int(), answer: z.looseObject({}) }),
  z.object({ id: z.number().int(), cannotTell: z.string().min(1) }),
]);

const cannotTellSchema = z.object({
  kind: z.literal('cannot-tell'),
  reason: z.string(),
  denied: z.boolean().optional(),
});
const absentSchema = z.object({ kind: z.literal('absent') });
const clientSchema = z.object({
  client: z.string().regex(/^client\.\d+$/),
  cookie: z.string(),
  address: z.union([z.ipv4(), z.ipv6()]).nullable(),
});

export const askedSchema = z.object({
  images: z.record(
    z.string(),
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('asked'),
        openers: z.array(clientSchema.extend({ answered: z.boolean() })),
      }),
      absentSchema,
      cannotTellSchema,
    ]),
  ),
});

export const clientsSchema = z.object({
  images: z.record(
    z.string(),
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('known'), clients: z.array(clientSchema) }),
      absentSchema,
      cannotTellSchema,
    ]),
  ),
});

export const changedSchema = z.object({ kind: z.literal('done') });

export const blocklistSchema = z.object({
  kind: z.literal('listed'),
  epoch: z.number().int(),
  entries: z.array(z.object({ entry: z.string(), range: z.boolean(), expiresAtMs: z.number() })),
});

export const barrierSchema = z.object({
  kind: z.literal('passed'),
  epoch: z.number().int(),
  // A barrier through nothing holds nobody back.
  placementGroups: z.number().int().positive(),
  tookMs: z.number(),
});

export const factsSchema = z.object({
  kind: z.literal('known'),
  version: z.string(),
  fsid: z.string(),
  epoch: z.number().int(),
  pools: z.array(z.object({ name: z.string(), placementGroups: z.number().int() })),
  problems: z.array(z.string()),
});
