// Ends of texts taken off letter by letter: a regular expression for that begins anew at each of many such letters, and
// takes the square of their number.

/** Without those of these letters that stand at its end. */
export function withoutEnd(text: string, letters: string): string {
  let end = text.length;
  while (end > 0 && letters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
