// Slack's Web API: the methods an app like Sonny calls, with Slack's own errors. Errors are 200 with ok: false.
import { app, type Channel, type Post, team, type Workspace } from './workspace.ts';

/** Arguments of a call: form fields or JSON, as strings. */
export type Arguments = Readonly<Record<string, string>>;
export type Reply = Readonly<Record<string, unknown>>;

export interface WebApiContext {
  readonly workspace: Workspace;
  readonly botToken: string;
  readonly appToken: string;
  /** A fresh address for a Socket Mode connection. */
  readonly socketUrl: () => string;
  /** Told of each post by the app: others see it, and the app gets it back as an event. */
  readonly onPost: (post: Post) => void;
}

/** Slack's limit for a message's text. */
const longestText = 40_000;

const fail = (error: string): Reply => ({ ok: false, error });

/** Answers one method call. */
export function callMethod(context: WebApiContext, method: string, token: string, args: Arguments): Reply {
  const handler = methods[method];
  if (handler === undefined) return { ...fail('unknown_method'), req_method: method };
  if (token === '') return fail('not_authed');
  const isApp = method === 'apps.connections.open';
  const expected = isApp ? context.appToken : context.botToken;
  if (token !== expected) {
    const other = isApp ? context.botToken : context.appToken;
    return fail(token === other ? 'not_allowed_token_type' : 'invalid_auth');
  }
  return handler(context, args);
}

const methods: Readonly<Record<string, (context: WebApiContext, args: Arguments) => Reply>> = {
  'api.test': (_context, args) => ({ ok: true, args }),
  'auth.test': () => ({
    ok: true,
    url: `https://${team.domain}.slack.com/`,
    team: team.name,
    user: app.name,
    team_id: team.id,
    user_id: app.userId,
    bot_id: app.botId,
    is_enterprise_install: false,
  }),
  'apps.connections.open': ({ socketUrl }) => ({ ok: true, url: socketUrl() }),
  'chat.postMessage': (context, args) => post(context, args, null),
  'chat.postEphemeral': (context, args) => post(context, args, args.user ?? null),
  'chat.update': ({ workspace }, args) => {
    const changed = workspace.replace(args.ts ?? '', { text: args.text ?? '', blocks: parsed(args.blocks) });
    if (changed === null) return fail('message_not_found');
    return { ok: true, channel: changed.channel, ts: changed.ts, text: changed.text };
  },
  'reactions.add': () => ({ ok: true }),
  'conversations.list': ({ workspace }) => ({
    ok: true,
    channels: workspace.channels.map(channelView),
    response_metadata: { next_cursor: '' },
  }),
  'users.conversations': ({ workspace }) => ({
    ok: true,
    channels: workspace.channels
      .filter(({ member, id }) => member && !id.startsWith('D'))
      .map((channel) => ({ ...channelView(channel), is_ext_shared: channel.shared })),
    response_metadata: { next_cursor: '' },
  }),
  'conversations.info': ({ workspace }, args) => {
    const channel = workspace.channel(args.channel ?? '');
    return channel === null ? fail('channel_not_found') : { ok: true, channel: channelView(channel) };
  },
  'conversations.join': ({ workspace }, args) => {
    const channel = workspace.channel(args.channel ?? '');
    if (channel === null) return fail('channel_not_found');
    channel.member = true;
    return { ok: true, channel: channelView(channel) };
  },
  'users.info': (_context, args) => ({
    ok: true,
    user: {
      id: args.user,
      team_id: team.id,
      name: args.user?.toLowerCase(),
      real_name: args.user,
      is_bot: args.user === app.userId,
    },
  }),
  'bots.info': () => ({
    ok: true,
    bot: { id: app.botId, app_id: app.id, user_id: app.userId, name: app.name, deleted: false },
  }),
};

function channelView(channel: Channel): object {
  return {
    id: channel.id,
    name: channel.name,
    is_channel: true,
    is_member: channel.member,
    is_archived: false,
  };
}

function parsed(json: string | undefined): unknown {
  if (json === undefined) return null;
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function post(context: WebApiContext, args: Arguments, ephemeralFor: string | null): Reply {
  const channel = context.workspace.channel(args.channel ?? '');
  if (channel === null) return fail('channel_not_found');
  if (!channel.member) return fail('not_in_channel');
  const text = args.text ?? '';
  if (text === '' && args.blocks === undefined && args.attachments === undefined) return fail('no_text');
  if (args.blocks !== undefined && !Array.isArray(parsed(args.blocks))) return fail('invalid_blocks_format');
  if ([...text].length > longestText) return fail('msg_too_long');
  const stored = context.workspace.add({
    channel: channel.id,
    user: app.userId,
    text,
    threadTs: args.thread_ts ?? null,
    blocks: parsed(args.blocks),
    byApp: true,
    ephemeralFor,
  });
  context.onPost(stored);
  const message = {
    type: 'message',
    user: app.userId,
    bot_id: app.botId,
    app_id: app.id,
    team: team.id,
    text,
    ts: stored.ts,
    ...(stored.threadTs === null ? {} : { thread_ts: stored.threadTs }),
  };
  if (ephemeralFor !== null) return { ok: true, message_ts: stored.ts };
  return { ok: true, channel: channel.id, ts: stored.ts, message };
}
