// The gates that an operator waives for a recovery by hand: those that he names, and with the typed name of the host the
// one that is about instances that answer.

import { guestsGate } from '../recovery/guests-still-there.ts';
import { askForName } from './ask-name.ts';
import type { Ns4Options } from './command-line.ts';

/** @throws as askForName, when the name is not given */
export async function waivedFor(
  dead: string | undefined,
  { despite = [], guestsAreElsewhere = false, yes = false }: Ns4Options,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (dead === undefined || !guestsAreElsewhere) return despite;
  const terminal = { input: process.stdin, output: process.stdout };
  await askForName(
    dead,
    `${dead} has no power, or runs none of its instances: you have made sure, and whatever answers at their addresses runs elsewhere`,
    { yes, signal },
    terminal,
  );
  return [...despite, guestsGate];
}
