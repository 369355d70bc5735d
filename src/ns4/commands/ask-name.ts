// Asks a person at the terminal to type a host's name: what cannot be undone is not to be done by a slip of the hand.
import { createInterface } from 'node:readline/promises';
import { OperationalError, UsageError } from '../../shared/ground/errors.ts';

/**
 * Resolves when the name was typed, or `yes` was given beforehand. Throws UsageError where nobody can be asked,
 * OperationalError when something else was typed.
 */
export async function askForName(
  host: string,
  what: string,
  options: { readonly yes: boolean; readonly signal: AbortSignal },
  terminal: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream },
): Promise<void> {
  if (options.yes) return;
  if (!terminal.input.isTTY)
    throw new UsageError([`${what}: expected --yes, as there is no terminal to ask on`]);
  const lines = createInterface({ input: terminal.input, output: terminal.output });
  try {
    const typed = await lines.question(`${what}. Type ${host} to go on: `, { signal: options.signal });
    if (typed.trim() !== host)
      throw new OperationalError(`${JSON.stringify(typed.trim())} is not ${host}: nothing done`);
  } finally {
    lines.close();
  }
}
