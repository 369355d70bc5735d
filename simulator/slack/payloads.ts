// What Slack sends an app over Socket Mode: events, slash commands and pressed buttons, in Slack's shapes.
import { app, type Post, team } from './workspace.ts';

export type EnvelopeKind = 'events_api' | 'slash_commands' | 'interactive';

let counter = 0;
/** An id in Slack's manner: a letter or two and digits. */
function fresh(prefix: string): string {
  counter += 1;
  return `${prefix}${String(counter).padStart(9, '0')}`;
}

/** An event's callback around the event itself. */
export function eventPayload(event: Readonly<Record<string, unknown>>, shared = false): object {
  return {
    token: 'simulated',
    team_id: team.id,
    api_app_id: app.id,
    event,
    type: 'event_callback',
    event_id: fresh('Ev'),
    event_time: Math.floor(Date.now() / 1_000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: team.id,
        user_id: app.userId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: shared,
    event_context: fresh('4-'),
  };
}

/**
 * A message as the event `message` or `app_mention` carries it; the app's own ones are marked as such. `change`: fields
 * that are otherwise; undefined ones are left out.
 */
export function messageEvent(
  post: Post,
  type: 'message' | 'app_mention',
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    type,
    user: post.user,
    text: post.text,
    ts: post.ts,
    event_ts: post.ts,
    channel: post.channel,
    team: team.id,
    ...(type === 'message' ? { channel_type: post.channel.startsWith('D') ? 'im' : 'channel' } : {}),
    ...(post.byApp ? { bot_id: app.botId, app_id: app.id } : { client_msg_id: fresh('msg-') }),
    ...(post.threadTs === null ? {} : { thread_ts: post.threadTs }),
    ...change,
  };
}

interface Command {
  readonly command: string;
  readonly text: string;
  readonly user: string;
  readonly channel: { readonly id: string; readonly name: string };
}

/** A slash command. */
export function commandPayload(given: Command, responseUrl: string): object {
  return {
    token: 'simulated',
    team_id: team.id,
    team_domain: team.domain,
    channel_id: given.channel.id,
    channel_name: given.channel.name,
    user_id: given.user,
    user_name: given.user.toLowerCase(),
    command: given.command,
    text: given.text,
    api_app_id: app.id,
    is_enterprise_install: 'false',
    response_url: responseUrl,
    trigger_id: fresh('trigger-'),
  };
}

interface Press {
  readonly actionId: string;
  readonly value: string;
  readonly user: string;
  /** The message the button is in. */
  readonly post: Post;
}

/** A button pressed in a message. */
export function pressPayload(given: Press, responseUrl: string): object {
  const { post, user } = given;
  return {
    type: 'block_actions',
    token: 'simulated',
    api_app_id: app.id,
    team: { id: team.id, domain: team.domain },
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: team.id },
    channel: { id: post.channel, name: 'channel' },
    container: { type: 'message', message_ts: post.ts, channel_id: post.channel, is_ephemeral: false },
    message: {
      type: 'message',
      user: post.user,
      ts: post.ts,
      text: post.text,
      blocks: post.blocks,
      ...(post.threadTs === null ? {} : { thread_ts: post.threadTs }),
    },
    trigger_id: fresh('trigger-'),
    response_url: responseUrl,
    state: { values: {} },
    is_enterprise_install: false,
    enterprise: null,
    actions: [
      {
        type: 'button',
        action_id: given.actionId,
        block_id: 'simulated',
        value: given.value,
        action_ts: post.ts,
        text: { type: 'plain_text', text: given.actionId },
      },
    ],
  };
}
