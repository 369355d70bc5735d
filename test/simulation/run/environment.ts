// Settings of the simulation's commands, from the environment.

/** A whole number from 1 on; anything else ends the process with exit code 2. */
export function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name] ?? '';
  if (text === '') return otherwise;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  process.stderr.write(`${name} must be a whole number from 1 on, not "${text}"\n`);
  process.exit(2);
}
