// What Redis says when it does not let somebody in: its own kind of error and a known sentence. The rest of the reply is
// left out, as it may quote the AUTH.
import { errorText } from '../ground/errors.ts';

const known: Readonly<Record<string, string>> = {
  WRONGPASS: 'the user or password is refused',
  NOAUTH: 'a password is needed',
  NOPERM: 'this user may not do that',
  ERR: 'the login is refused',
};

/** As `errorText`; of a refused login in known words only. */
export function redisErrorText(error: unknown): string {
  const { command } = (typeof error === 'object' && error !== null ? error : {}) as {
    command?: { name?: unknown };
  };
  const name = String(command?.name ?? '').toLowerCase();
  const text = errorText(error);
  const kind = /^[A-Z]{3,20}(?= |$)/.exec(text)?.[0] ?? 'ERR';
  if (name !== 'auth' && name !== 'hello' && kind !== 'WRONGPASS' && kind !== 'NOAUTH') return text;
  return `${kind} ${known[kind] ?? 'the login is refused'}`;
}
