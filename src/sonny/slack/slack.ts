// Slack's Web API: what sonny posts, who it is there, and what --check asks. Its client's own retries are switched off,
// ours are bounded and capped.
import {
  type ChatPostMessageArguments,
  type Logger,
  LogLevel,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import { OperationalError } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Mask } from '../../shared/masks/secrets.ts';
import type { Delivery, Outlet, Post } from '../outlet/outlet.ts';
import { whyNotAnswered } from '../talk/may-ask.ts';
import { type Asked, Mentions, type MessageEvent } from '../talk/mentions.ts';
import { type Conversation, channelLine, isChannelId } from './channels.ts';
import type { Line } from './listening.ts';
import { slackPacing } from './pacing.ts';
import { type ProxyRoute, proxyRoute } from './proxy.ts';
import { judge } from './slack-verdict.ts';
import { openSocket } from './socket.ts';

interface SlackAccess {
  readonly token: string;
  readonly appToken: string | null;
  /** By name or id. */
  readonly channel: string;
  /** Ids of further channels in which questions are answered. */
  readonly ask: readonly string[];
  /** Whether they are answered in direct messages. */
  readonly direct: boolean;
  /** Null: Slack's own. */
  readonly apiUrl: string | null;
}

/** Who we are. */
interface SlackLogin {
  readonly botUserId: string;
  readonly name: string;
  readonly team: string;
  /** Ids of the workspace, and of the Enterprise Grid it belongs to, if any. */
  readonly teams: readonly string[];
}

const callTimeoutMs = 8_000;
/** Until we look again whether a person has put right what Slack refuses (the channel, the token). */
const refusedPauseMs = 30_000;
/** Messages that wait for Slack to say which channel is ours; what comes beyond is not answered. */
const mostEarly = 20;
/** Channels that the bot is in, as --check reads them: so many pages of so many. */
const mostPages = 10;
const channelsPerPage = 200;

export class Slack implements Outlet {
  readonly name = 'Slack';
  readonly pacing = slackPacing;
  readonly #access: SlackAccess;
  readonly #log: Log;
  readonly #mask: Mask;
  readonly #proxy: ProxyRoute | null;
  readonly #web: WebClient;
  /** Kept over connections: what was asked on the last one may be sent again on the next. */
  #mentions: Mentions | null = null;
  /** Of [SLACK] channel; where that is a name, Slack says it with the first post. */
  #channelId: string | null;
  /** Messages that came before that. */
  #early: (() => void)[] = [];

  constructor(access: SlackAccess, log: Log, mask: Mask) {
    this.#mask = mask;
    this.#access = access;
    this.#log = log;
    this.#channelId = isChannelId(access.channel) ? access.channel : null;
    this.#proxy = proxyRoute(process.env, access.apiUrl);
    this.#web = new WebClient(access.token, this.#clientOptions());
  }

  /** Events, as they are: nothing in them is markup. */
  deliver(post: Post): Promise<Delivery> {
    return this.#post({ channel: this.#access.channel, text: this.#mask(post.text), mrkdwn: false }, (id) => {
      this.#channelId = id;
      for (const take of this.#early.splice(0)) take();
    });
  }

  /** Into the thread of a question, with markup. */
  reply({ channel, threadTs }: Asked, text: string): Promise<Delivery> {
    return this.#post({ channel, text: this.#mask(text), thread_ts: threadTs });
  }

  /** Asks Slack who we are; throws when it refuses the token. */
  async login(): Promise<SlackLogin> {
    const { user_id, user, team, team_id, enterprise_id } = await this.#web.auth.test();
    if (user_id === undefined || team_id === undefined) throw new Error('Slack did not say who we are');
    const teams = [team_id, enterprise_id].filter((id) => typeof id === 'string' && id !== '') as string[];
    return { botUserId: user_id, name: user ?? user_id, team: team ?? '', teams };
  }

  /** Opens one Socket Mode connection, without any reconnection of its own. */
  open(login: SlackLogin, onQuestion: (asked: Asked) => void): Promise<Line> {
    return openSocket({
      appToken: this.#appToken(),
      dispatcher: this.#proxy?.dispatcher ?? null,
      clientOptions: this.#clientOptions(),
      logger: this.#logger(),
      log: this.#log,
      onEvent: (event) => {
        const take = () => {
          const asked = this.#asked(event, login);
          if (asked !== null) onQuestion(asked);
        };
        if (this.#channelId === null && this.#early.length < mostEarly) this.#early.push(take);
        else take();
      },
    });
  }

  /** For `--check`: what Slack says to both tokens, and of the channels. */
  async check(): Promise<string> {
    const login = await orSay('token', () => this.login());
    const channel = await this.#checkChannels();
    const who = `@${login.name} in ${login.team}, posting to ${channel}`;
    if (this.#access.appToken === null) return `${who}; without app_token: no questions are answered`;
    const app = new WebClient(this.#appToken(), this.#clientOptions());
    await orSay('app_token', () => app.apps.connections.open({}));
    const { ask, direct } = this.#access;
    const further = [...ask, ...(direct ? ['direct messages'] : [])];
    return `${who}, answering questions there${further.length === 0 ? ' alone' : ` and in ${further.join(', ')}`}`;
  }

  /** The question in an event, from somebody who may ask. */
  #asked(event: MessageEvent, { botUserId, teams }: SlackLogin): Asked | null {
    this.#mentions ??= new Mentions(botUserId);
    const asked = this.#mentions.read(event);
    if (asked === null) return null;
    const { ask, direct } = this.#access;
    const own = this.#channelId === null ? [] : [this.#channelId];
    const why = whyNotAnswered(event, { teams, channels: new Set([...own, ...ask]), direct });
    if (why === null) return asked;
    this.#log.info({ channel: asked.channel }, `a question is not answered: ${why}`);
    return null;
  }

  async #checkChannels(): Promise<string> {
    const { channel, ask } = this.#access;
    let found: readonly Conversation[];
    try {
      found = await this.#conversations();
    } catch (thrown) {
      const verdict = judge(thrown);
      if (verdict.kind !== 'refused') throw new OperationalError(`[SLACK] channel: ${verdict.reason}`);
      // An app that may post need not be allowed to look; the first post tells then.
      return `${channel} (whether it exists and the bot is in it cannot be seen: ${verdict.reason})`;
    }
    const own = channelLine('channel', channel, found);
    for (const id of ask) channelLine('ask', id, found);
    return own;
  }

  /** The channels that the bot is in. */
  async #conversations(): Promise<Conversation[]> {
    const found: Conversation[] = [];
    let cursor = '';
    for (let page = 0; page < mostPages; page += 1) {
      const { channels, response_metadata: more } = await this.#web.users.conversations({
        types: 'public_channel,private_channel',
        exclude_archived: true,
        limit: channelsPerPage,
        ...(cursor === '' ? {} : { cursor }),
      });
      for (const { id, name, is_ext_shared: shared } of channels ?? [])
        found.push({ id: id ?? '', name: name ?? '', shared: shared === true });
      cursor = more?.next_cursor ?? '';
      if (cursor === '') break;
    }
    return found;
  }

  async #post(message: ChatPostMessageArguments, onChannel?: (id: string) => void): Promise<Delivery> {
    // `parse`: Slack makes a link of each bare address otherwise, also of one within the name of an instance.
    const quiet = { link_names: false, parse: 'none', unfurl_links: false, unfurl_media: false } as const;
    try {
      const { channel } = await this.#web.chat.postMessage({ ...quiet, ...message });
      if (channel !== undefined) onChannel?.(channel);
      return { kind: 'sent' };
    } catch (thrown) {
      const verdict = judge(thrown);
      if (verdict.kind !== 'refused') return verdict;
      return { kind: 'retry', afterMs: refusedPauseMs, reason: verdict.reason };
    }
  }

  #appToken(): string {
    const { appToken } = this.#access;
    if (appToken === null) throw new Error('no app_token');
    return appToken;
  }

  /** One attempt, in bounded time; who calls decides about the next. */
  #clientOptions(): WebClientOptions {
    return {
      ...(this.#access.apiUrl === null ? {} : { slackApiUrl: this.#access.apiUrl }),
      retryConfig: { retries: 0 },
      timeout: callTimeoutMs,
      rejectRateLimitedCalls: true,
      ...(this.#proxy === null ? {} : { fetch: this.#proxy.fetch }),
      logger: this.#logger(),
    };
  }

  /**
   * What Slack's libraries warn of is detail: what matters of it we say ourselves, once. Their own detail is not
   * written at all, as it holds the tickets of sockets and the texts of all messages that the bot hears.
   */
  #logger(): Logger {
    const write = (...parts: unknown[]) => this.#log.debug({ from: 'slack' }, firstWords(String(parts[0])));
    return {
      debug: () => {},
      info: () => {},
      warn: write,
      error: write,
      setLevel: () => {},
      getLevel: () => LogLevel.WARN,
      setName: () => {},
    };
  }
}

/** Letters and blanks up to the first of anything else: none of these lines begins with what others wrote. */
const firstWords = (line: string): string => /^[A-Za-z' ]{0,80}/.exec(line)?.[0].trim() || 'more';

async function orSay<T>(token: 'token' | 'app_token', act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    throw new OperationalError(`[SLACK] ${token}: ${judge(thrown).reason}`);
  }
}
