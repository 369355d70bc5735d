// Which of the events Slack sends are questions to us, each once: a mention arrives as `app_mention` and as `message`,
// and Slack sends again what it believes lost. Pure but for what it remembers.
import { askedOf } from './questions.ts';

/** What matters of a `message` or `app_mention` event. */
export interface MessageEvent {
  readonly type?: 'message' | 'app_mention' | undefined;
  readonly channel?: string | undefined;
  /** Of the channel: `im` is a conversation with the bot alone. */
  readonly channel_type?: string | undefined;
  readonly ts?: string | undefined;
  readonly thread_ts?: string | undefined;
  readonly text?: string | undefined;
  readonly user?: string | undefined;
  readonly bot_id?: string | undefined;
  /** Edits, joins, deletions and the like; plain messages have none. */
  readonly subtype?: string | undefined;
  /** Ids of workspaces: of the message, of who wrote it, and of where it was written. */
  readonly team?: string | undefined;
  readonly user_team?: string | undefined;
  readonly source_team?: string | undefined;
  /** Whether people of other organisations are in the channel (Slack Connect). */
  readonly shared?: boolean | undefined;
}

/** In a conversation with the bot alone; `app_mention` does not carry the type, but such channels' ids begin with D. */
export const isDirect = ({ channel, channel_type: type }: MessageEvent): boolean =>
  type === 'im' || (channel ?? '').startsWith('D');

/** A message to the bot. */
export interface Asked {
  readonly words: string;
  readonly channel: string;
  /** The thread the answer belongs to. */
  readonly threadTs: string;
}

/** Messages remembered as answered. Slack sends again within the hour. */
const mostRemembered = 1_000;

export class Mentions {
  readonly #botUserId: string;
  readonly #answered = new Set<string>();

  constructor(botUserId: string) {
    this.#botUserId = botUserId;
  }

  /** The question an event is; null when it is none, is not from a person, or was asked before. */
  read(event: MessageEvent): Asked | null {
    const { channel, ts, text, user } = event;
    if (channel === undefined || ts === undefined || text === undefined) return null;
    // Two bots that answer each other would never end.
    if (event.bot_id !== undefined || user === this.#botUserId) return null;
    // As `app_mention`, Slack itself says that it was said to us: with a file, say, or out of a thread.
    if (event.subtype !== undefined && event.type !== 'app_mention') return null;
    const words = askedOf(this.#botUserId, text) ?? (isDirect(event) ? text : null);
    if (words === null || this.#seen(`${channel} ${ts}`)) return null;
    return { words, channel, threadTs: event.thread_ts ?? ts };
  }

  #seen(message: string): boolean {
    if (this.#answered.has(message)) return true;
    this.#answered.add(message);
    if (this.#answered.size > mostRemembered) {
      for (const oldest of this.#answered) {
        this.#answered.delete(oldest);
        break;
      }
    }
    return false;
  }
}
