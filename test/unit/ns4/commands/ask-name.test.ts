// What cannot be undone is asked for by name.
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { askForName } from '../../../../src/ns4/commands/ask-name.ts';
import { OperationalError, UsageError } from '../../../../src/shared/ground/errors.ts';

const signal = new AbortController().signal;

function ask(typed: string, options: { tty: boolean; yes: boolean }) {
  const input = Object.assign(new PassThrough(), { isTTY: options.tty }) as unknown as NodeJS.ReadStream;
  const output = new PassThrough() as unknown as NodeJS.WriteStream;
  input.push(typed);
  return askForName('hv01', 'this powers hv01 off', { yes: options.yes, signal }, { input, output });
}

test('its name, typed at a terminal', async () => {
  await expect(ask('hv01\n', { tty: true, yes: false })).resolves.toBeUndefined();
});
test('--yes, with or without a terminal', async () => {
  await expect(ask('', { tty: false, yes: true })).resolves.toBeUndefined();
  await expect(ask('', { tty: true, yes: true })).resolves.toBeUndefined();
});
test.each(['hv02\n', 'yes\n', '\n'])('anything else: %j', async (typed) => {
  await expect(ask(typed, { tty: true, yes: false })).rejects.toThrow(OperationalError);
});
test('nobody to ask', async () => {
  await expect(ask('hv01\n', { tty: false, yes: false })).rejects.toThrow(UsageError);
});
