// Questions to Sonny: what a mention asks for. Pure; the answers are in answers.ts.
import { plainText } from '../render/mrkdwn.ts';

export type Question =
  | { readonly kind: 'help' }
  | { readonly kind: 'status' }
  /** `name` as the person typed it, out of Slack's link. */
  | { readonly kind: 'show'; readonly what: 'hv' | 'vm'; readonly name: string }
  /** A `show` of another form. */
  | { readonly kind: 'show-usage' }
  | { readonly kind: 'unclear' };

/**
 * The words after a mention of `userId` at the beginning of a message; null when the message does not begin with one,
 * and so asks nothing of us: "thanks to @sonny…" is talk among people.
 */
export function askedOf(userId: string, text: string): string | null {
  const [mention, mentioned] = /^\s*<@([A-Z0-9]+)(?:\|[^>]*)?>[\s:,]*/.exec(text) ?? [];
  return mention === undefined || mentioned !== userId ? null : text.slice(mention.length);
}

/** What the words after the mention ask for. Commands in any case; names with spaces are instances' only. */
export function parseQuestion(words: string): Question {
  const [command = '', ...rest] = plainText(words).trim().split(/\s+/);
  switch (command.toLowerCase()) {
    case 'help':
      return { kind: 'help' };
    case 'status':
      return { kind: 'status' };
    case 'show':
      return parseShow(rest);
    default:
      return { kind: 'unclear' };
  }
}

function parseShow([what = '', ...names]: readonly string[]): Question {
  const kind = what.toLowerCase();
  const name = unquote(names.join(' '));
  const valid = name !== '' && (kind === 'vm' || (kind === 'hv' && !/\s/.test(name)));
  return valid ? { kind: 'show', what: kind, name } : { kind: 'show-usage' };
}

/** People put names into backticks and quotes, and Slack's clients make quotes typographic. */
function unquote(name: string): string {
  return (/^(?:`(.*)`|"(.*)"|'(.*)'|“(.*)”|‘(.*)’)$/.exec(name) ?? []).slice(1).find((one) => one) ?? name;
}
