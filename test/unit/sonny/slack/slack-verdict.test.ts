// What each failure of Slack's API means for the post or connection that met it.
import { describe, expect, it } from 'vitest';
import { judge } from '../../../../src/sonny/slack/slack-verdict.ts';

const answered = (error: string, more = {}) => ({
  code: 'slack_webapi_platform_error',
  data: { ok: false, error, ...more },
});
const limited = (retryAfter: unknown) => ({ code: 'slack_webapi_rate_limited_error', retryAfter });

describe('judge', () => {
  it.each([
    ['429: as long as Slack says', limited(17), { kind: 'retry', afterMs: 17_000 }],
    ['429 for a day: an hour', limited(86_400), { kind: 'retry', afterMs: 3_600_000 }],
    ['429 without a number', limited(Number.NaN), { kind: 'retry', afterMs: null }],
    ['Slack is ill', answered('internal_error'), { kind: 'retry', afterMs: null, reason: 'internal_error' }],
    ['an HTTP error', { code: 'slack_webapi_http_error', statusCode: 503 }, { kind: 'retry', afterMs: null }],
    [
      'nobody there',
      {
        code: 'slack_webapi_request_error',
        original: new Error('fetch failed', { cause: new Error('ECONNREFUSED') }),
      },
      { kind: 'retry', afterMs: null, reason: 'not reachable (fetch failed: ECONNREFUSED)' },
    ],
    [
      "a proxy's error page",
      answered('<html><body>Bad gateway</body></html>'),
      { kind: 'retry', reason: 'an answer that is not from Slack (a proxy?)' },
    ],
    ['a bad token', answered('invalid_auth'), { kind: 'refused' }],
    [
      'a channel without the bot',
      answered('not_in_channel'),
      { kind: 'refused', reason: 'not_in_channel: invite the bot to the channel' },
    ],
    [
      'a missing scope, named',
      answered('missing_scope', { needed: 'chat:write' }),
      { kind: 'refused', reason: 'missing_scope: the app needs the scope chat:write' },
    ],
    [
      'a refusal nobody knows yet',
      answered('brand_new_error'),
      { kind: 'refused', reason: 'brand_new_error' },
    ],
    ['a text too long', answered('msg_too_long'), { kind: 'give-up', reason: 'msg_too_long' }],
    ['anything else', new Error('boom'), { kind: 'retry', afterMs: null, reason: 'boom' }],
    ['nothing at all', undefined, { kind: 'retry', afterMs: null }],
  ])('%s', (_, thrown, expected) => {
    expect(judge(thrown)).toMatchObject(expected);
  });
});
