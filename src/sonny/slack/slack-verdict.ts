// What a failed call of Slack's API means: try again (and when), a person must act, or this call can never work.
// Pure; knows the errors of Slack's client by their codes only.
import { errorText } from '../../shared/ground/errors.ts';

export type SlackVerdict =
  /** `afterMs` as Slack asked for; null: it did not say. */
  | { readonly kind: 'retry'; readonly afterMs: number | null; readonly reason: string }
  /** The token, the channel or a scope is refused: only a person can change that. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** This text will never be taken. */
  | { readonly kind: 'give-up'; readonly reason: string };

/** Errors that are about the message and nothing else. */
const unpostable = new Set([
  'msg_too_long',
  'no_text',
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'markdown_text_conflict',
  'thread_not_found',
  'cannot_reply_to_message',
]);

/** Slack's own trouble: it passes. */
const passing = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
  'accesslimited',
  // Of the workspace, not of this message.
  'message_limit_exceeded',
]);

/** What to do about the refusals people really meet. */
const advice: Readonly<Record<string, string>> = {
  invalid_auth: 'is it complete, and of this workspace?',
  not_authed: 'is it empty?',
  account_inactive: 'the app was removed from the workspace',
  token_revoked: 'the token was revoked',
  token_expired: 'the token has expired',
  not_allowed_token_type: 'is it the other kind of token?',
  channel_not_found: 'no such channel, or a private one without the bot: invite it there',
  not_in_channel: 'invite the bot to the channel',
  is_archived: 'the channel is archived',
};

/** Longest pause Slack may ask for; beyond that we look again by ourselves. */
const longestRetryAfterMs = 3_600_000;

const longestReason = 300;

/** Judges what a call threw. */
export function judge(thrown: unknown): SlackVerdict {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Record<string, unknown>;
  switch (error.code) {
    case 'slack_webapi_rate_limited_error':
      return { kind: 'retry', afterMs: retryAfterMs(error.retryAfter), reason: 'too many requests (429)' };
    case 'slack_webapi_platform_error':
      return judgeAnswer(error.data);
    case 'slack_webapi_http_error':
      return { kind: 'retry', afterMs: null, reason: `HTTP status ${Number(error.statusCode)}` };
    case 'slack_webapi_request_error':
      return {
        kind: 'retry',
        afterMs: null,
        reason: `not reachable (${errorText(error.original).slice(0, longestReason)})`,
      };
    default:
      return { kind: 'retry', afterMs: null, reason: errorText(thrown).slice(0, longestReason) };
  }
}

function judgeAnswer(data: unknown): SlackVerdict {
  const { error, needed } = (data ?? {}) as { error?: unknown; needed?: unknown };
  const name = String(error);
  // Not one of Slack's words: an error page of something in between.
  if (!/^[a-z_]{1,60}$/.test(name))
    return { kind: 'retry', afterMs: null, reason: 'an answer that is not from Slack (a proxy?)' };
  if (unpostable.has(name)) return { kind: 'give-up', reason: name };
  if (passing.has(name)) return { kind: 'retry', afterMs: null, reason: name };
  const scope =
    typeof needed === 'string' ? `the app needs the scope ${needed.slice(0, longestReason)}` : null;
  const what = scope ?? advice[name] ?? null;
  return { kind: 'refused', reason: what === null ? name : `${name}: ${what}` };
}

function retryAfterMs(seconds: unknown): number | null {
  const ms = Number(seconds) * 1_000;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, longestRetryAfterMs) : null;
}
