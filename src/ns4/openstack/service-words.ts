// What an OpenStack service said, whichever of its dialects it said it in: the sentence within an error's body.
import { z } from 'zod';

/** Longer ones are cut: the text goes into logs and Slack. */
const MAX_LENGTH = 500;
const MAX_READ = 100_000;

const message = z.object({ message: z.string() });
const placementErrors = z.object({
  errors: z.array(z.object({ code: z.string().optional(), detail: z.string() })).min(1),
});

/**
 * The service's own words in the body of a 4xx or 5xx: Nova's {badRequest: {message}} under any key, Neutron's
 * {NeutronError: {message}}, Keystone's {error: {message}}, Placement's {errors: [{code, detail}]}; of
 * HTML the text.
 * Empty when it said nothing.
 */
export function serviceWords(text: string): string {
  const trimmed = text.slice(0, MAX_READ).trim();
  const words = fromJson(trimmed) ?? fromMarkup(trimmed);
  // WebOb puts line breaks of HTML into JSON, too; other tags may be words (Nova's "<class 'SomeError'>").
  const line = words
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

function fromMarkup(text: string): string {
  if (!isPage(text)) return text;
  return text
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;/g, ' ');
}
