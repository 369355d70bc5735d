// `ns4 --copies-gone HOST`: an operator's word that nothing of the instances that were moved from a recovered host runs
// there any more, which ends the alarm about it.

import { operator } from '../../shared/process/operator.ts';
import type { Db } from '../../shared/redis/db.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { leaveOrder } from '../../shared/redis/orders.ts';
import type { Trust } from '../../shared/trust/trust.ts';
import { askForName } from './ask-name.ts';

interface WordParts {
  readonly redis: Db;
  readonly keys: Keys;
  readonly trust: Trust;
  readonly yes: boolean;
  readonly atMs: number;
  readonly stop: AbortSignal;
}

/** @throws as askForName, when the name is not given */
export async function giveCopiesGone(host: string, parts: WordParts): Promise<void> {
  const { redis, keys, trust, yes, atMs, stop } = parts;
  const terminal = { input: process.stdin, output: process.stdout };
  const what = `nothing of the instances that were moved from ${host} runs on it any more: you have looked (virsh list)`;
  await askForName(host, what, { yes, signal: stop }, terminal);
  await leaveOrder(redis, keys, trust, { kind: 'copies-gone', host, by: operator(), atMs });
}
