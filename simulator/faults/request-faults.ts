// What may become of one request on its way to an API, and of its answer: carried out by the HTTP services on order,
// and by the link of the in-process skin by chance.

type RequestFaultKind =
  | 'error'
  | 'html'
  | 'page-after'
  | 'nonsense'
  | 'half-body'
  | 'hang'
  | 'reset'
  | 'lose-answer'
  | 'slow';

/** One of them as it is ordered. */
export interface RequestFault {
  readonly kind: RequestFaultKind;
  /** Of an error or a page. */
  readonly status?: number;
  /** E.g. { 'retry-after': '1' }, for kind error. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Everything happens so much later: a change too, however long its sender has given up. */
  readonly delayMs?: number;
}

/**
 * Is the request carried out, and what does its sender get: the API's own error, somebody else's page, a body that is
 * no JSON, the true answer or a half of it, the end of the connection, or nothing at all?
 */
export const requestFaults: Readonly<
  Record<
    RequestFaultKind,
    {
      readonly isCarriedOut: boolean;
      readonly answer: 'error' | 'page' | 'nonsense' | 'true' | 'half' | 'closed' | 'none';
    }
  >
> = {
  error: { isCarriedOut: false, answer: 'error' },
  html: { isCarriedOut: false, answer: 'page' },
  'page-after': { isCarriedOut: true, answer: 'page' },
  nonsense: { isCarriedOut: false, answer: 'nonsense' },
  'half-body': { isCarriedOut: true, answer: 'half' },
  hang: { isCarriedOut: false, answer: 'none' },
  reset: { isCarriedOut: false, answer: 'closed' },
  'lose-answer': { isCarriedOut: true, answer: 'closed' },
  slow: { isCarriedOut: true, answer: 'true' },
};
