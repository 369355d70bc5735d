// A pretend Slack on loopback: Web API and Socket Mode as Slack's own clients speak them, people who write, and troubles.
import { type ReplyBend, type SlackCall, SlackHttp, type SlackTrouble } from './http.ts';
import { commandPayload, eventPayload, messageEvent, pressPayload } from './payloads.ts';
import { SocketMode } from './socket-mode.ts';
import { callMethod, type WebApiContext } from './web-api.ts';
import { app, type Channel, type Post, Workspace } from './workspace.ts';

export type { Post } from './workspace.ts';

interface SlackOptions {
  /** Names of channels; the first is where people write unless told otherwise. */
  readonly channels?: readonly string[];
  /** Events the app subscribed to; default both. */
  readonly subscriptions?: readonly ('message' | 'app_mention')[];
}

interface SayOptions {
  readonly user?: string;
  readonly channel?: string;
  readonly threadTs?: string;
  /** Address the app: its mention is put in front. */
  readonly mention?: boolean;
  /** Fields of the events that are not as for a plain message of the own workspace; undefined ones are left out. */
  readonly event?: Readonly<Record<string, unknown>>;
}

const defaultUser = 'U0OPERATOR';

/** Starts a Slack on a port the system picks. */
export async function startSlack(options: SlackOptions = {}): Promise<Slack> {
  const slack = new Slack(options);
  await slack.back();
  return slack;
}

export class Slack {
  readonly botToken = 'xoxb-simulated-bot-token';
  readonly appToken = 'xapp-simulated-app-token';
  /** The app's own user id, for mentions. */
  readonly botUserId = app.userId;
  readonly #workspace: Workspace;
  readonly #subscriptions: readonly string[];
  readonly #sockets = new SocketMode();
  readonly #http: SlackHttp;
  readonly #responses = new Map<string, string>();
  #refusal: string | null = null;

  constructor(options: SlackOptions) {
    this.#workspace = new Workspace(options.channels ?? ['ops']);
    this.#subscriptions = options.subscriptions ?? ['message', 'app_mention'];
    const context: WebApiContext = {
      workspace: this.#workspace,
      botToken: this.botToken,
      appToken: this.appToken,
      socketUrl: () => `ws://127.0.0.1:${this.#http.port}/link/?ticket=${crypto.randomUUID()}`,
      onPost: (post) => this.#publish(post),
    };
    this.#http = new SlackHttp({
      call: (method, token, args) =>
        this.#refusal === null
          ? callMethod(context, method, token, args)
          : { ok: false, error: this.#refusal },
      respond: (id, body) => this.#respond(id, String(body.text ?? ''), body.blocks ?? null),
      upgrade: (request, socket, head) => this.#sockets.accept(request, socket, head),
    });
  }

  /** What `api_url` is to be: http://127.0.0.1:PORT/api/ */
  get apiUrl(): string {
    return `http://127.0.0.1:${this.#http.port}/api/`;
  }

  /** All messages, also those people wrote, oldest first. */
  get posts(): readonly Post[] {
    return this.#workspace.posts;
  }

  /** Messages by the app. */
  get appPosts(): readonly Post[] {
    return this.#workspace.posts.filter((post) => post.byApp);
  }

  /** All calls of the Web API. */
  get calls(): readonly SlackCall[] {
    return this.#http.calls;
  }

  /** Socket Mode connections right now. */
  get connections(): number {
    return this.#sockets.connections;
  }

  /** A channel by name or id. */
  channel(idOrName: string): Channel {
    const channel = this.#workspace.channel(idOrName);
    if (channel === null) throw new Error(`no such channel: ${idOrName}`);
    return channel;
  }

  /** Resolves with the app's first post that fits, past or to come. */
  posted(fits: RegExp | ((post: Post) => boolean), withinMs = 10_000): Promise<Post> {
    return this.#workspace.posted(fits, withinMs);
  }

  /**
   * A person writes a message. Resolves with it when the app has acknowledged the events; with no app connected they
   * wait for the next connection.
   */
  async say(text: string, options: SayOptions = {}): Promise<Post> {
    const post = this.#workspace.add({
      channel: this.#channelOf(options).id,
      user: options.user ?? defaultUser,
      text: options.mention === true ? `<@${app.userId}> ${text}` : text,
      threadTs: options.threadTs ?? null,
      blocks: null,
      byApp: false,
      ephemeralFor: null,
    });
    await Promise.all(this.#publish(post, options.event));
    return post;
  }

  /** Slack sends an event with this payload, whatever it is. Resolves when the app has acknowledged it. */
  sendEvent(payload: unknown): Promise<unknown> {
    return this.#sockets.send('events_api', payload);
  }

  /** Slack sends this text to every connected app, as it is. */
  sendRaw(text: string): void {
    this.#sockets.sendRaw(text);
  }

  /** A person gives a slash command. Resolves with what the app answered at once, null when nothing. */
  command(command: string, text = '', options: SayOptions = {}): Promise<unknown> {
    const channel = this.#channelOf(options);
    const given = { command, text, user: options.user ?? defaultUser, channel };
    return this.#sockets.send('slash_commands', commandPayload(given, this.#responseUrl(channel.id)));
  }

  /** A person presses a button of a post. Resolves when the app has acknowledged it. */
  press(post: Post, actionId: string, value = '', user = defaultUser): Promise<unknown> {
    const payload = pressPayload({ actionId, value, user, post }, this.#responseUrl(post.channel));
    return this.#sockets.send('interactive', payload);
  }

  /** The next calls (of one method, if given) suffer. */
  trouble(trouble: SlackTrouble, times = 1, method: string | null = null): void {
    this.#http.order(trouble, times, method);
  }

  /** 429 with Retry-After for the next `times` posts. */
  rateLimit(times: number, retryAfterS = 1, method: string | null = 'chat.postMessage'): void {
    this.#http.order({ kind: 'limited', retryAfterS }, times, method);
  }

  /** Every reply passes through this from now on, whatever becomes of it; null ends it. */
  bend(how: ReplyBend | null): void {
    this.#http.bend = how;
  }

  /** Takes all ordered troubles back. */
  calm(): void {
    this.#http.calm();
  }

  /** Every call is answered with this error (invalid_auth, account_inactive…); null ends it. */
  refuse(error: string | null = 'invalid_auth'): void {
    this.#refusal = error;
  }

  /** Cuts all sockets; announced, with the `disconnect` message Slack sends before it refreshes a connection. */
  dropSockets({ announced = false } = {}): void {
    this.#sockets.drop(announced);
  }

  /** Slack cannot be reached: connections are refused, sockets are cut. */
  async away(): Promise<void> {
    this.#sockets.drop(false);
    await this.#http.stop();
  }

  /** Slack is there again, on the same port. */
  async back(): Promise<void> {
    await this.#http.start();
  }

  async close(): Promise<void> {
    await this.#sockets.close();
    await this.#http.stop();
  }

  #channelOf(options: SayOptions): Channel {
    return this.channel(options.channel ?? this.#workspace.channels[0]?.id ?? '');
  }

  /** The events a message causes; the app gets its own posts as `message` too, as in Slack. */
  #publish(post: Post, change: Readonly<Record<string, unknown>> = {}): Promise<unknown>[] {
    if (post.ephemeralFor !== null) return [];
    const types: ('message' | 'app_mention')[] = ['message'];
    const { shared } = this.channel(post.channel);
    const mentioned = post.text.includes(`<@${app.userId}>`) && !post.channel.startsWith('D');
    if (!post.byApp && mentioned) types.push('app_mention');
    return types
      .filter((type) => this.#subscriptions.includes(type))
      .map((type) =>
        this.#sockets.send('events_api', eventPayload(messageEvent(post, type, change), shared)),
      );
  }

  #responseUrl(channel: string): string {
    const id = crypto.randomUUID();
    this.#responses.set(id, channel);
    return `http://127.0.0.1:${this.#http.port}/response/${id}`;
  }

  #respond(id: string, text: string, blocks: unknown): void {
    const channel = this.#responses.get(id);
    if (channel === undefined) return;
    this.#workspace.add({
      ...{ channel, text, blocks, user: app.userId, threadTs: null },
      byApp: true,
      ephemeralFor: defaultUser,
    });
  }
}
