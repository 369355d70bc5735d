// Records of OpenStack that made no sense and were left out, so that one of them does not stop the rest: one list of them.
import { z } from 'zod';

export const leftOutSchema = z.object({
  /** "compute /servers/detail?all_tenants=1". */
  list: z.string(),
  count: z.number(),
  /** Of how many that were read. */
  of: z.number(),
  /** Some of them, each with what is wrong with it; names from outside quoted. */
  some: z.string(),
});
export type LeftOutOfList = z.infer<typeof leftOutSchema>;

/** One sentence without its full stop. */
export const leftOutText = ({ list, count, of, some }: LeftOutOfList): string =>
  `${list}: ${count} of ${of} records make no sense and are left out, judged by nobody: ${some}`;

/** What makes it the same as the last time it was told: not how many others there are. */
export const leftOutKey = ({ list, count, some }: LeftOutOfList): string => `${list} ${count} ${some}`;
