// One TCP connect, and what its end says about the other side. No names are resolved and no byte is sent.
import { Socket } from 'node:net';
import type { Endpoint } from '../../shared/contracts.ts';

/** open and refused are answers of a living host (refused: its kernel said no); silent: nobody said anything. */
export type ProbeState = 'open' | 'refused' | 'silent' | 'unknown';

export interface Probe {
  readonly state: ProbeState;
  /** The error's code for unknown, or what made it silent; null when open or refused. */
  readonly code: string | null;
}

/**
 * What an error of connect() says. Host-unreachable is what routers and a missing ARP answer say of a dead host. Every
 * other code is the scanner's own trouble (no descriptors, no route, no address) and must never count as "down".
 */
export function stateOfError(code: string | undefined): ProbeState {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'refused';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return 'silent';
    default:
      return 'unknown';
  }
}

/**
 * Connects once and drops the connection. One attempt is enough: within `timeoutMs` the kernel repeats the SYN itself,
 * after 1 s and after 3 s. Ends as silent after `timeoutMs`, as unknown when `signal` aborts.
 */
export function probe({ address, port }: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Probe> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ state: 'unknown', code: 'aborted' });
    const socket = new Socket();
    const end = (state: ProbeState, code: string | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // RST instead of FIN: thousands of sockets in TIME_WAIT would use up the ports of the next scans.
      socket.resetAndDestroy();
      resolve({ state, code });
    };
    const onAbort = () => end('unknown', 'aborted');
    const timer = setTimeout(() => end('silent', 'no answer'), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => end('open', null));
    // Stays attached: a socket that was reset may still report an error, which nobody waits for any more.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end(stateOfError(error.code), error.code ?? error.message),
    );
    socket.connect({ host: address, port, autoSelectFamily: false, family: address.includes(':') ? 6 : 4 });
  });
}
