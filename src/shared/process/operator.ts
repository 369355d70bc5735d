// Who sits at the terminal.
import { userInfo } from 'node:os';

/** Who gave the order, for the journal and Slack. */
export function operator(): string {
  try {
    return process.env.SUDO_USER ?? userInfo().username;
  } catch {
    // A container may run under a uid without a name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
