// Who sits at the terminal.
import { userInfo } from 'node:os';

/** A name as user databases have it. What else stands in SUDO_USER was put there by somebody. */
const userName = /^[A-Za-z_][\w.@\\-]{0,62}\$?$/;

interface Seat {
  readonly env: { readonly SUDO_USER?: string | undefined };
  /** Of this process; null where there are none. */
  readonly uid: number | null;
  /** The name of that uid; throws where it has none. */
  userName(): string;
}

const ownSeat: Seat = {
  env: process.env,
  uid: process.getuid?.() ?? null,
  userName: () => userInfo().username,
};

/**
 * Who gave the order, for the journal and Slack: a name, and the uid that nobody can make up. Behind sudo it is the
 * name that sudo found, as anybody else could set it, too.
 */
export function operator(seat: Seat = ownSeat): string {
  const id = `uid ${seat.uid ?? 'unknown'}`;
  const bySudo = seat.env.SUDO_USER;
  if (bySudo !== undefined && userName.test(bySudo)) return `${bySudo} (by sudo, ${id})`;
  try {
    const name = seat.userName();
    return userName.test(name) ? `${name} (${id})` : id;
  } catch {
    // A container may run under a uid without a name.
    return id;
  }
}
