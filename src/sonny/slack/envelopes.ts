// What a raw message of Socket Mode is, judged before Slack's client sees it: that one reads `payload.event.type`
// unseen, and hands the names of foreign events to its own emitter. Pure.
import { z } from 'zod';
import type { MessageEvent } from '../talk/mentions.ts';

const words = z.string().max(100);

const envelopeSchema = z.object({
  type: words,
  envelope_id: words.optional(),
  payload: z.unknown().optional(),
});

/** Slack's are some kilobytes long. A longer one is not read, and so not acknowledged either. */
const longestEnvelope = 4_000_000;
/** Of a message: no question is longer. */
const longestText = 4_000;

/** An id, or nothing where Slack has something else there. */
const lenient = words.optional().catch(undefined);

const eventSchema = z.object({
  type: z.enum(['message', 'app_mention']),
  channel: lenient,
  channel_type: lenient,
  ts: lenient,
  thread_ts: lenient,
  text: z
    .string()
    .transform((text) => text.slice(0, longestText))
    .optional()
    .catch(undefined),
  user: lenient,
  // Whatever it is, it says that no person wrote this.
  bot_id: z
    .unknown()
    .transform((id) => (id === undefined || id === null ? undefined : String(id).slice(0, 100)))
    .optional(),
  subtype: lenient,
  team: lenient,
  user_team: lenient,
  source_team: lenient,
});

const payloadSchema = z.object({
  event: eventSchema,
  is_ext_shared_channel: z.boolean().optional().catch(true),
});

/** A raw message of the socket. */
export type Envelope =
  /** Slack greets: the connection is open. */
  | { readonly kind: 'hello' }
  /** Slack asks for a fresh connection. */
  | { readonly kind: 'disconnect' }
  /** To be acknowledged under `id`; `event`: what a person may have asked, null for all else; `what`: for the log. */
  | {
      readonly kind: 'event';
      readonly id: string;
      readonly event: MessageEvent | null;
      readonly what: string;
    }
  /** Nothing that could be acknowledged; `why` holds no word of it. */
  | { readonly kind: 'odd'; readonly why: string };

/** Reads a raw message; never throws. */
export function readEnvelope(raw: string): Envelope {
  if (raw.length > longestEnvelope) return { kind: 'odd', why: 'more than any envelope of Slack' };
  const envelope = envelopeSchema.safeParse(parsed(raw));
  if (!envelope.success) return { kind: 'odd', why: 'no envelope of Slack' };
  const { type, envelope_id: id, payload } = envelope.data;
  if (type === 'hello' || type === 'disconnect') return { kind: type };
  if (id === undefined || id === '') return { kind: 'odd', why: 'an envelope without an id' };
  if (type !== 'events_api') return { kind: 'event', id, event: null, what: 'no event' };
  const read = payloadSchema.safeParse(payload);
  if (!read.success) return { kind: 'event', id, event: null, what: 'an event that is no message' };
  const { event, is_ext_shared_channel: shared } = read.data;
  return { kind: 'event', id, event: { ...event, shared: shared ?? false }, what: event.type };
}

function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
