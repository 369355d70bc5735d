// Text from outside as people may see it: whatever acts without being seen (escape sequences, marks that turn the
// reading direction, signs of no width) is spelled out, and a name within a sentence shows where it begins and ends.
// Pure.

/**
 * Control characters, format and filler characters, lone surrogates, other line separators. Line breaks and tabs stay.
 * Default_Ignorable_Code_Point has zero-width signs, soft hyphens, tags and Hangul fillers; U+2800 is a blank by looks.
 */
const unseen = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** No script stacks more of them on one letter; a flood covers the lines above and below. */
const floodOfMarks = /(\p{M}{4})\p{M}+/gu;

/** As JSON spells it, but for the control characters that JSON.stringify spells by itself: what was JSON stays JSON. */
function spelledOut(sign: string, backslash = '\\'): string {
  const code = sign.charCodeAt(0);
  if (code < 0x20) return `${backslash}x${code.toString(16).padStart(2, '0')}`;
  const units = Array.from({ length: sign.length }, (_, i) => sign.charCodeAt(i));
  return units.map((unit) => `${backslash}u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** Text for a terminal or a log: what is not seen but acts is spelled out; line breaks and tabs stay. */
export function plain(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(unseen, (sign) => spelledOut(sign))
    .replace(floodOfMarks, '$1');
}

/** A line of JSON whose texts are `plain` once it is parsed. */
export const plainWithin = (json: string): string =>
  json.replace(unseen, (sign) => spelledOut(sign, '\\\\')).replace(floodOfMarks, '$1');

/** `plain`, and on one line. */
export const plainLine = (text: string): string => plain(text.replace(/\s+/gu, ' '));

/** Characters of a name from outside that a sentence shows. */
export const mostOfName = 64;
/** Of words from outside (a service's, an agent's), which tell what is wrong. */
export const mostOfWords = 200;

/**
 * A name or words from outside, as a sentence holds them: in double quotes, which nothing within can end, on one line, at
 * most `most` characters, all of them seen. Whoever chose the name may have meant it to be read as the sentence.
 */
export function quoted(text: string, most: number = mostOfName): string {
  // Cut before anything is matched: it may be megabytes.
  const shown = [...plainLine(text.slice(0, 4 * most)).trim()];
  const isCut = shown.length > most || text.length > 4 * most;
  const kept = isCut ? [...shown.slice(0, most - 1), '…'] : shown;
  return `"${kept.join('').replace(quotes, "'")}"`;
}

/** Those that look like the end of a quotation. */
const quotes = /["\p{Pi}\p{Pf}\u201e\u201a\u301d-\u301f\uff02\u02ba\u2033]/gu;
