// Faults on order: the next requests that match are answered wrongly, late, or not at all.
import type { RequestFault } from '../faults/request-faults.ts';
import type { ApiName, Call } from './call.ts';

/** A fault, and which requests it is for. */
export interface FaultOrder extends RequestFault {
  readonly api?: ApiName;
  readonly method?: string;
  /** Matches path and query. */
  readonly path?: RegExp | string;
  /** Matches the request's body as text, e.g. /evacuate/. */
  readonly body?: RegExp;
  /** How many requests; default 1. */
  readonly times?: number;
}

/** A fault on order; `hits` counts the requests it met so far. */
export interface Fault {
  readonly order: FaultOrder;
  hits: number;
  /** Takes the order back. */
  cancel(): void;
}

/** The open orders of one simulator. */
export class FaultBook {
  readonly #open = new Set<Fault>();

  order(order: FaultOrder): Fault {
    const fault: Fault = { order, hits: 0, cancel: () => this.#open.delete(fault) };
    this.#open.add(fault);
    return fault;
  }

  clear(): void {
    this.#open.clear();
  }

  /** The fault this request is to suffer, counted as suffered. */
  take(call: Call): FaultOrder | null {
    for (const fault of this.#open) {
      if (!matches(fault.order, call)) continue;
      fault.hits += 1;
      if (fault.hits >= (fault.order.times ?? 1)) this.#open.delete(fault);
      return fault.order;
    }
    return null;
  }
}

function matches(order: FaultOrder, call: Call): boolean {
  if (order.api !== undefined && order.api !== call.api) return false;
  if (order.method !== undefined && order.method !== call.method) return false;
  if (order.body !== undefined && !order.body.test(call.text)) return false;
  const where = `${call.path}${call.url.search}`;
  if (typeof order.path === 'string') return where.includes(order.path);
  return order.path === undefined || order.path.test(where);
}
