// Reads the status that the monitor publishes with every save. Its monitor may be of another version.
import { z } from 'zod';
import { type Status, statusSchema } from '../documents/status.ts';
import type { Db } from './db.ts';
import { jsonOrNull } from './json.ts';
import type { Keys } from './keys.ts';

/** What is known of the status of a cloud. */
export type FoundStatus =
  | { readonly kind: 'found'; readonly status: Status }
  | { readonly kind: 'none' }
  /** `version` as the document has it; null: it has none. */
  | { readonly kind: 'not-understood'; readonly version: number | null };

/** Reports of a newer ns4 may hold what this version does not know: they are left out, and hide nothing else. */
const foundSchema = statusSchema.extend({ reports: statusSchema.shape.reports.catch([]) });
const versionSchema = z.object({ version: z.number() });

export async function readStatus(redis: Pick<Db, 'get'>, keys: Pick<Keys, 'status'>): Promise<FoundStatus> {
  const text = await redis.get(keys.status);
  if (text === null) return { kind: 'none' };
  const json = jsonOrNull(text);
  const status = foundSchema.safeParse(json).data;
  if (status !== undefined) return { kind: 'found', status };
  return { kind: 'not-understood', version: versionSchema.safeParse(json).data?.version ?? null };
}
