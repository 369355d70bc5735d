// Leaves an operator's order for the monitor in Redis.
import type { Order } from '../documents/orders.ts';
import { OperationalError } from '../ground/errors.ts';
import { isSigned } from '../trust/seal.ts';
import type { Trust } from '../trust/trust.ts';
import type { Db } from './db.ts';
import { jsonOrNull } from './json.ts';
import type { Keys } from './keys.ts';

/** Orders an operator may leave while no monitor runs. */
export const mostOrders = 100;

/**
 * The monitor takes it within seconds, or when it starts. @throws OperationalError when it would refuse it, as nobody
 * signed it
 */
export async function leaveOrder(
  redis: Db,
  keys: Pick<Keys, 'orders' | 'assignments'>,
  trust: Trust,
  order: Order,
): Promise<void> {
  const assignments = trust.signs ? null : await redis.get(keys.assignments);
  if (assignments !== null && isSigned(jsonOrNull(assignments)))
    throw new OperationalError(
      'the monitor obeys signed orders only, and this command has no key: set [REDIS] key_file to the same file',
    );
  await redis
    .multi()
    .rpush(keys.orders, trust.text('order', '', order))
    .ltrim(keys.orders, -mostOrders, -1)
    .exec();
}
