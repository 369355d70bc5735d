// What an OpenStack service said, whichever of its dialects it said it in: the sentence within an error's body.
import { z } from 'zod';
import type { Mask } from '../../shared/masks/secrets.ts';

/** Longer ones are cut: the text goes into logs and Slack. */
const MAX_LENGTH = 500;
/** Read for JSON; a longer error says nothing. */
const MAX_READ = 100_000;
/** Of the words, before anything is looked for in them. */
const MAX_WORDS = 20_000;
/** More than any form of a secret takes: where words are cut, one may be cut in two. */
const MAX_FORM = 4_096;

const message = z.object({ message: z.string() });
const placementErrors = z.object({
  errors: z.array(z.object({ code: z.string().optional(), detail: z.string() })).min(1),
});

/**
 * The service's own words in the body of a 4xx or 5xx: Nova's {badRequest: {message}} under any key, Neutron's
 * {NeutronError: {message}}, Keystone's {error: {message}}, Placement's {errors: [{code, detail}]}; of
 * HTML the text. `mask` sees them before they are cut or changed: half a secret would pass it.
 * Empty when it said nothing.
 */
export function serviceWords(text: string, mask: Mask = (words) => words): string {
  const trimmed = text.slice(0, MAX_READ).trim();
  const said = fromJson(trimmed) ?? trimmed;
  const masked = mask(said.slice(0, MAX_WORDS));
  const whole = said.length > MAX_WORDS ? masked.slice(0, -MAX_FORM) : masked;
  const words = isPage(whole) ? withoutMarkup(whole) : whole;
  // WebOb puts line breaks of HTML into JSON, too; other tags may be words (Nova's "<class 'SomeError'>").
  const line = words
    .slice(0, 4 * MAX_LENGTH)
    .replace(/<br ?\/?>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
}

/** Is this Nova's own "no such thing", and not the 404 of something in between? */
export function isItemNotFound(text: string): boolean {
  return z.object({ itemNotFound: message }).safeParse(json(text)).success;
}

/** Is this a page for people? We ask for JSON, and no OpenStack service answers a known call with anything else. */
export function isPage(text: string): boolean {
  return text.trimStart().startsWith('<');
}

/** The text as JSON; undefined when it is none. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fromJson(text: string): string | null {
  const body = json(text);
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null) return null;
  for (const value of [body, ...Object.values(body)]) {
    const said = message.safeParse(value);
    if (said.success) return said.data.message;
    // Very old Neutron: {"NeutronError": "words"}.
    if (typeof value === 'string' && Object.keys(body).length === 1) return value;
  }
  const placement = placementErrors.safeParse(body);
  if (!placement.success) return text;
  return placement.data.errors.map((e) => (e.code ? `${e.code}: ${e.detail}` : e.detail)).join('; ');
}

/** What a page says, in one pass: tags become blanks, and so does what stands in a script, a style or the head. */
function withoutMarkup(page: string): string {
  const parts: string[] = [];
  let unseen: string | null = null;
  for (let at = 0; at < page.length; ) {
    const open = page.indexOf('<', at);
    const close = open < 0 ? -1 : page.indexOf('>', open);
    if (unseen === null) parts.push(page.slice(at, open < 0 ? page.length : open), ' ');
    // A tag that never ends is none that a browser would show.
    if (close < 0) break;
    const tag = page.slice(open + 1, Math.min(close, open + 1 + longestTag)).toLowerCase();
    const name = /^\/?[a-z0-9]+/.exec(tag)?.[0] ?? '';
    if (unseen === null && unseenTags.includes(name)) unseen = name;
    else if (name === `/${unseen}`) unseen = null;
    at = close + 1;
  }
  return parts.join('').replaceAll('&nbsp;', ' ');
}

const unseenTags = ['script', 'style', 'head'];
const longestTag = 16;
