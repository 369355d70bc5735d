// Signals that many wait for at once: Node warns of a leak from eleven listeners on, and a refresh alone has more.
import { setMaxListeners } from 'node:events';

/** More at once would be a leak after all. */
const mostListeners = 200;

/** The signal, with room for as many listeners as work that is done side by side needs. */
export function listenedToByMany(signal: AbortSignal): AbortSignal {
  setMaxListeners(mostListeners, signal);
  return signal;
}
