// Text for Slack: nothing that came from a cloud (names of instances, words of Nova) may become markup, a mention of
// everybody, or the end of a code block.

/** Slack's three control characters as text; with them `<!channel>`, `<@U…>` and links are only words. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What a person typed, as Slack hands it over, back as they typed it: links to their label, entities to characters. */
export function plainText(mrkdwn: string): string {
  return mrkdwn
    .replace(/<[^<>|]*\|([^<>]*)>/g, '$1')
    .replace(/<(?:(?:https?|ftp):\/\/|mailto:|tel:)([^<>|]*?)\/?>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** The beginning of a text, at most `longest` characters, never half a character. */
export function beginning(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const last = text.charCodeAt(longest - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, Math.max(0, splitsPair ? longest - 1 : longest));
}

/** As escapeMrkdwn, and at most `longest` characters after it; what does not fit is counted in a hint. */
export function escapeWithin(text: string, longest: number): string {
  const whole = escapeMrkdwn(text);
  if (whole.length <= longest) return whole;
  const hint = (cut: number): string => ` … (cut: ${cut} characters more)`;
  let length = 0;
  let kept = '';
  // Character by character of the unescaped text, so that no entity is cut in half.
  for (const character of beginning(text, longest)) {
    const escaped = escapeMrkdwn(character);
    if (length + escaped.length > longest - hint(text.length).length) break;
    length += escaped.length;
    kept += character;
  }
  return escapeMrkdwn(kept) + hint(text.length - kept.length);
}

const longestLine = 1_000;

/**
 * A code block of at most about `longest` characters. Runs of backticks are broken by a zero-width space: three would
 * end the block. What does not fit is left out by whole lines and counted behind the block, which is always closed.
 */
export function codeBlock(text: string, longest: number): string {
  const lines = text.trimEnd().split('\n');
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    const safe = escapeWithin(line, longestLine).replace(/`(?=`)/g, '`\u200b');
    if (kept.length > 0 && length + safe.length + 1 > longest) break;
    kept.push(safe);
    length += safe.length + 1;
  }
  const cut = lines.length - kept.length;
  const block = `\`\`\`\n${kept.join('\n')}\n\`\`\``;
  return cut === 0 ? block : `${block}\n… (cut: ${cut} lines more)`;
}
