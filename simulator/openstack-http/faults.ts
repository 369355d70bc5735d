// Faults on order: the next requests that match are answered wrongly, late, or not at all.
import type { ApiName, Call } from './call.ts';

/**
 * - error: status 500 (or `status`) in the API's own shape, nothing done. html: 503 with an HTML page, nothing done.
 * - nonsense: 200 with a body that is no JSON, nothing done. half-body: the true answer, cut off in the middle.
 * - hang: nothing done and no answer, until the client gives up. reset: connection closed at once, nothing done.
 * - lose-answer: everything done, then the connection closed without an answer. slow: the true answer after `delayMs`.
 */
export type FaultKind =
  | 'error'
  | 'html'
  | 'nonsense'
  | 'half-body'
  | 'hang'
  | 'reset'
  | 'lose-answer'
  | 'slow';

export interface FaultOrder {
  readonly kind: FaultKind;
  readonly api?: ApiName;
  readonly method?: string;
  /** Matches path and query. */
  readonly path?: RegExp | string;
  /** Matches the request's body as text, e.g. /evacuate/. */
  readonly body?: RegExp;
  /** How many requests; default 1. */
  readonly times?: number;
  readonly status?: number;
  /** E.g. { 'retry-after': '1' }, for kind error. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
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
