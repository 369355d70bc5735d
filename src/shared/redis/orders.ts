// Orders that an operator leaves for the monitor in Redis; its own schema (monitor/core/types.ts) decides what it takes.
import type { Db } from './db.ts';
import type { Keys } from './keys.ts';

/** Orders an operator may leave while no monitor runs. */
const mostOrders = 100;

export interface OrderLeft {
  readonly kind: 'reset-cooldown' | 'look-now' | 'accept-empty-state';
  readonly by: string;
  readonly atMs: number;
}

/** The monitor takes it within seconds, or when it starts. */
export async function leaveOrder(redis: Db, keys: Pick<Keys, 'orders'>, order: OrderLeft): Promise<void> {
  await redis.multi().rpush(keys.orders, JSON.stringify(order)).ltrim(keys.orders, -mostOrders, -1).exec();
}
