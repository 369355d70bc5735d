// Text for Slack: nothing that came from a cloud (names of instances, words of Nova) may become markup, a mention of
// everybody, or the end of a code block. Names come from the people who create instances: none is trusted.
import { plain } from '../../shared/ground/plain.ts';

/** Breaks up what Slack would recognise, without being seen. */
const zeroWidthSpace = '\u200b';

/**
 * Text that Slack shows as it stands: its three control characters become entities, which also takes the meaning from
 * `<!channel>` and links; the plain words @channel and @here are broken up in case a workspace links names.
 */
export function escapeMrkdwn(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=(?:channel|here|everyone|group)\b)/gi, `@${zeroWidthSpace}`);
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

/** As escapeMrkdwn, and at most `longest` characters after it; what does not fit is counted in a hint. */
export function escapeWithin(text: string, longest: number): string {
  const whole = escapeMrkdwn(text);
  if (whole.length <= longest) return whole;
  const cutHint = (cut: number): string => ` … (cut: ${cut} characters more)`;
  const room = longest - cutHint(text.length).length;
  // Cut between whole characters, before escaping: half an entity or half an emoji would be shown as garbage.
  let kept = '';
  let length = 0;
  for (const character of text) {
    // An at sign may grow by the space that disarms it.
    length += character === '@' ? 2 : escapeMrkdwn(character).length;
    if (length > room) break;
    kept += character;
  }
  return escapeMrkdwn(kept) + cutHint(text.length - kept.length);
}

const longestLine = 1_000;

/**
 * A code block of at most `longest` characters, its hint not counted. Runs of backticks are broken up: three would end
 * the block. What does not fit is left out by whole lines and counted behind the block, which is always closed.
 */
export function codeBlock(text: string, longest: number): string {
  const lines = plain(text).trimEnd().split('\n');
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    const safe = escapeWithin(line, longestLine).replace(/`(?=`)/g, `\`${zeroWidthSpace}`);
    length += safe.length + 1;
    if (kept.length > 0 && length + 8 > longest) break;
    kept.push(safe);
  }
  const cut = lines.length - kept.length;
  const block = `\`\`\`\n${kept.join('\n')}\n\`\`\``;
  return cut === 0 ? block : `${block}\n… (cut: ${cut} lines more)`;
}
