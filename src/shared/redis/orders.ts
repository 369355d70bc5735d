// Leaves an operator's order for the monitor in Redis.
import type { Order } from '../documents/orders.ts';
import type { Db } from './db.ts';
import type { Keys } from './keys.ts';

/** Orders an operator may leave while no monitor runs. */
export const mostOrders = 100;

/** The monitor takes it within seconds, or when it starts. */
export async function leaveOrder(redis: Db, keys: Pick<Keys, 'orders'>, order: Order): Promise<void> {
  await redis.multi().rpush(keys.orders, JSON.stringify(order)).ltrim(keys.orders, -mostOrders, -1).exec();
}
