// Slack's Web API and Socket Mode: the only file that knows @slack/bolt. Bolt's own retries and reconnections are
// switched off, ours are bounded and capped: its retries of a lost connection grow without a cap, and a failure among
// them is an unhandled rejection, which would end the process.
import { App, type Logger, LogLevel, SocketModeReceiver, webApi } from '@slack/bolt';
import { OperationalError } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Mask } from '../../shared/masks/secrets.ts';
import type { Delivery, Outlet, Post } from '../outlet/outlet.ts';
import { type Asked, Mentions, type MessageEvent } from '../talk/mentions.ts';
import type { Line } from './listening.ts';
import { slackPacing } from './pacing.ts';
import { type ProxyRoute, proxyRoute } from './proxy.ts';
import { judge } from './slack-verdict.ts';

interface SlackAccess {
  readonly token: string;
  readonly appToken: string | null;
  readonly channel: string;
  /** Null: Slack's own. */
  readonly apiUrl: string | null;
}

/** Who we are. */
interface SlackLogin {
  readonly botUserId: string;
  readonly botId: string | undefined;
  readonly name: string;
  readonly team: string;
}

const callTimeoutMs = 8_000;
/** From asking for a connection to Slack's hello. */
const openTimeoutMs = 20_000;
/** Until we look again whether a person has put right what Slack refuses (the channel, the token). */
const refusedPauseMs = 30_000;

export class Slack implements Outlet {
  readonly name = 'Slack';
  readonly pacing = slackPacing;
  readonly #access: SlackAccess;
  readonly #log: Log;
  readonly #mask: Mask;
  readonly #proxy: ProxyRoute | null;
  readonly #web: webApi.WebClient;
  /** Kept over connections: what was asked on the last one may be sent again on the next. */
  #mentions: Mentions | null = null;

  constructor(access: SlackAccess, log: Log, mask: Mask) {
    this.#mask = mask;
    this.#access = access;
    this.#log = log;
    this.#proxy = proxyRoute(process.env, access.apiUrl);
    this.#web = new webApi.WebClient(access.token, this.#clientOptions());
  }

  /** Events, as they are: nothing in them is markup. */
  deliver(post: Post): Promise<Delivery> {
    return this.#post({ channel: this.#access.channel, text: this.#mask(post.text), mrkdwn: false });
  }

  /** Into the thread of a question, with markup. */
  reply({ channel, threadTs }: Asked, text: string): Promise<Delivery> {
    return this.#post({ channel, text: this.#mask(text), thread_ts: threadTs });
  }

  /** Asks Slack who we are; throws when it refuses the token. */
  async login(): Promise<SlackLogin> {
    const { user_id, bot_id, user, team } = await this.#web.auth.test();
    if (user_id === undefined) throw new Error('Slack did not say who we are');
    return { botUserId: user_id, botId: bot_id, name: user ?? user_id, team: team ?? '' };
  }

  /** Opens one Socket Mode connection, without any reconnection of its own. */
  async open(login: SlackLogin, onQuestion: (asked: Asked) => void): Promise<Line> {
    const receiver = new SocketModeReceiver({
      appToken: this.#appToken(),
      autoReconnectEnabled: false,
      ...(this.#proxy === null ? {} : { dispatcher: this.#proxy.dispatcher }),
      logger: this.#logger(),
      installerOptions: { clientOptions: this.#clientOptions() },
      // Otherwise it acknowledges once more on the connection that has just failed, and that rejection is unhandled.
      processEventErrorHandler: async () => false,
    });
    await this.#app(receiver, login, onQuestion);
    let announced = false;
    receiver.client.on('ws_message', (data: unknown) => {
      if (/"type":\s*"disconnect"/.test(String(data).slice(0, 200))) announced = true;
    });
    const closed = new Promise<{ announced: boolean }>((resolve) => {
      receiver.client.on('disconnected', () => resolve({ announced }));
    });
    const close = () => void receiver.stop().catch(() => {});
    try {
      await within(openTimeoutMs, receiver.start());
    } catch (error) {
      close();
      // Bolt rejects with nothing at all when the connection ends before Slack's hello.
      throw error ?? new Error('the connection was closed before it was open');
    }
    return { closed, close };
  }

  /** For `--check`: what Slack says to both tokens. */
  async check(): Promise<string> {
    const login = await orSay('token', () => this.login());
    const who = `@${login.name} in ${login.team}, posting to ${this.#access.channel}`;
    if (this.#access.appToken === null) return `${who}; without app_token: no questions are answered`;
    const app = new webApi.WebClient(this.#appToken(), this.#clientOptions());
    await orSay('app_token', () => app.apps.connections.open({}));
    return `${who}, answering questions`;
  }

  async #app(receiver: SocketModeReceiver, login: SlackLogin, onQuestion: (asked: Asked) => void) {
    this.#mentions ??= new Mentions(login.botUserId);
    const mentions = this.#mentions;
    const app = new App({
      token: this.#access.token,
      botUserId: login.botUserId,
      ...(login.botId === undefined ? {} : { botId: login.botId }),
      receiver,
      // We have just logged in ourselves; Bolt would do it in its constructor, where nobody can catch a failure.
      tokenVerificationEnabled: false,
      deferInitialization: true,
      convoStore: false,
      clientOptions: this.#clientOptions(),
      logger: this.#logger(),
      logLevel: LogLevel.DEBUG,
    });
    await app.init();
    const onMessage = async (event: MessageEvent) => {
      const asked = mentions.read(event);
      if (asked !== null) onQuestion(asked);
    };
    app.event('app_mention', ({ event }) => onMessage(event));
    app.event('message', ({ event }) => onMessage(event as MessageEvent));
    app.error(async (error) => this.#log.error(`Slack: ${error.message}`));
  }

  async #post(message: webApi.ChatPostMessageArguments): Promise<Delivery> {
    const quiet = { link_names: false, unfurl_links: false, unfurl_media: false };
    try {
      await this.#web.chat.postMessage({ ...quiet, ...message });
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
  #clientOptions(): webApi.WebClientOptions {
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
   * All that Bolt says is detail: what matters of it we say ourselves, once. What it received and what it sends it
   * quotes whole, people's messages and the ticket of the socket with it: of each line the first words are kept.
   */
  #logger(): Logger {
    const write = (...parts: unknown[]) => this.#log.debug({ from: 'bolt' }, firstWords(String(parts[0])));
    return {
      debug: write,
      info: write,
      warn: write,
      error: write,
      setLevel: () => {},
      getLevel: () => (this.#log.isLevelEnabled('debug') ? LogLevel.DEBUG : LogLevel.ERROR),
      setName: () => {},
    };
  }
}

/** Letters and blanks up to the first of anything else: no line of Bolt's begins with what others wrote. */
const firstWords = (line: string): string => /^[A-Za-z' ]{0,80}/.exec(line)?.[0].trim() || 'more';

async function orSay<T>(token: 'token' | 'app_token', act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    throw new OperationalError(`[SLACK] ${token}: ${judge(thrown).reason}`);
  }
}

async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
