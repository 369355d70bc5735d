// Whether a name or an address is this very machine, so that what is said to it is on no wire.

/** True for "localhost", 127.0.0.0/8 and ::1, in brackets or not, and for paths of sockets. */
export const isLoopback = (host: string): boolean =>
  host.startsWith('/') ||
  /^(localhost\.?|127(\.\d{1,3}){3}|\[?::1\]?|\[?::ffff:127(\.\d{1,3}){3}\]?)$/i.test(host);
