// Keeps Node's debugger shut. On SIGUSR1 Node opens it on 127.0.0.1:9229, and whoever is on this machine may then run code
// as this process: with OpenStack's admin login, and with the power of every hypervisor.
import inspector from 'node:inspector';

/** A signal that came while Node began opens the port in a later turn of the event loop, once more after it was shut. */
const lateMs = 1_000;

/**
 * From here on SIGUSR1 does nothing but `say` so, once; what it opened while Node began is shut again. Whoever starts
 * Node with --inspect has the debugger asked for, and keeps it.
 */
export function keepDebuggerShut(say: (line: string) => void): void {
  let told = false;
  process.on('SIGUSR1', () => {
    if (!told) say('SIGUSR1 does nothing here, and opens no debugger');
    told = true;
  });
  if (isAskedFor()) return;
  const shut = () => {
    if (inspector.url() === undefined) return;
    inspector.close();
    say('a SIGUSR1 while Node began had opened its debugger; it is shut again');
  };
  shut();
  setImmediate(shut);
  setTimeout(shut, lateMs).unref();
}

const isAskedFor = (): boolean =>
  [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)].some((option) =>
    /^--inspect(-brk|-wait)?(=|$)/.test(option),
  );
