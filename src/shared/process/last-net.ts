// The last net: an error that nobody caught ends the process in order, with a line of its own. Node would print the
// error with all that hangs on it (of a refused AUTH of Redis: the password) and be gone at once, locks and all.

/** More of a message or stack is not shown. */
const longestWords = 8_000;
/** Closing, too, may fail again and again. */
const mostTold = 5;

/** The stack of whatever was thrown, never its other properties. */
export function stackOf(thrown: unknown): string {
  const words = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return words.length <= longestWords ? words : `${words.slice(0, longestWords)}…`;
}

/** Calls `end` at the first error that nobody caught, and says this and the next ones. */
export function spreadLastNet(say: (line: string) => void, end: () => void): void {
  let told = 0;
  const onError = (thrown: unknown) => {
    told += 1;
    if (told <= mostTold) say(`an error that nobody caught, ending: ${stackOf(thrown)}`);
    if (told === 1) end();
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  // Node writes its warnings past process.stderr.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => say(`warning: ${name}: ${message}`));
}
