// One TCP connect, and what its end says about the other side. No names are resolved and no byte is sent.
import { isIP, Socket } from 'node:net';
import type { Endpoint } from '../../shared/documents/jobs/scan.ts';

/**
 * An error that took this long is nobody's word at once: the kernel of this machine, or of a router, asked three times
 * for the hardware address (a second each), and nobody has it.
 */
export const slowErrorMs = 2_500;

/**
 * open, refused and prohibited are answers (refused: a kernel said no; prohibited: it said so by an ICMP error); silent:
 * nobody answered, or a router knows no way; unknown: the scanner's trouble, or that of somebody on the way.
 */
export type ProbeState = 'open' | 'refused' | 'prohibited' | 'silent' | 'unknown';

export interface Probe {
  readonly state: ProbeState;
  /** What made it silent or unknown: an error's code, or words; null when it is an answer. */
  readonly code: string | null;
  /** Somebody may have sent this error, or for a guest this refusal: whom, the error queue tells (offenders.ts). */
  readonly isSaid?: boolean;
}

/** What Linux makes of ICMP errors, besides ECONNREFUSED. Some of them it uses for troubles of its own, too. */
const saidBySomebody = new Set([
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'EACCES', 'ENONET'],
  ...['ENOPROTOOPT', 'EOPNOTSUPP', 'ENOTSUP', 'EPROTO'],
]);

/**
 * What an error of connect() says by itself. Host-unreachable after seconds is a missing ARP answer, here or at the last
 * router; at once it may be anybody's word. Every code not named here is the scanner's own trouble (no descriptors, no
 * route, no address) and must never count as "down".
 */
export function stateOfError(code: string | undefined, tookMs: number): ProbeState {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    // Only a connection that was established can be reset or cut short: it was open for a moment.
    case 'ECONNRESET':
    case 'EPIPE':
      return 'open';
    case 'ETIMEDOUT':
      return 'silent';
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return tookMs >= slowErrorMs ? 'silent' : 'unknown';
    default:
      return 'unknown';
  }
}

/**
 * Connects once and drops the connection; `onEnd` is called once, never before this returns. One attempt is enough:
 * the kernel repeats an unanswered SYN itself, 1 s and 3 s after the first. The time counts from this call. Returns a
 * function that gives the attempt up: `onEnd` is then not called any more.
 */
export function probe(endpoint: Endpoint, timeoutMs: number, onEnd: (probe: Probe) => void): () => void {
  if (!isTarget(endpoint)) {
    const refusal = setImmediate(onEnd, { state: 'unknown', code: 'invalid address' });
    return () => clearImmediate(refusal);
  }
  const { address, port } = endpoint;
  const socket = new Socket();
  const beganMs = performance.now();
  let grace: NodeJS.Immediate | undefined;
  let over = false;
  const giveUp = () => {
    over = true;
    clearTimeout(timer);
    clearImmediate(grace);
    // An open one is reset (RST instead of FIN): thousands in TIME_WAIT would use up the ports of the next scans. One
    // still connecting must be destroyed: to reset it, Node would first wait, for minutes, until it is connected.
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  };
  const end = (state: ProbeState, code: string | null) => {
    if (over) return;
    giveUp();
    const isSaid = state === 'unknown' && code !== null && saidBySomebody.has(code);
    onEnd({ state, code, ...(isSaid ? { isSaid } : {}) });
  };
  const timer = setTimeout(() => {
    // After a turn that took too long (a busy or stopped process) timers run before the sockets are looked at: an
    // answer may have been waiting there all the time. It is read before the immediates run.
    grace = setImmediate(end, 'silent', 'no answer');
  }, timeoutMs);
  socket.once('connect', () => end('open', null));
  // Stays attached: a socket that was dropped may still report an error, which nobody waits for any more.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const state = stateOfError(error.code, performance.now() - beganMs);
    end(state, state === 'open' || state === 'refused' ? null : (error.code ?? error.message));
  });
  socket.connect({ host: address, port, autoSelectFamily: false, family: isIP(address) });
  return giveUp;
}

/** An address (a name would be resolved, which blocks threads), and not "any", which the kernel takes for ourselves. */
function isTarget({ address, port }: Endpoint): boolean {
  const isAny = /^[0:.]+$/.test(address);
  return isIP(address) !== 0 && !isAny && Number.isInteger(port) && port >= 1 && port <= 65_535;
}
