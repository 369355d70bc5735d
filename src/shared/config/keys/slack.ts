// [SLACK] of config.ini: where sonny tells what happens, and for which clouds.
import { key } from '../key.ts';
import { names, type Parsed, text, textThat } from '../value-types.ts';
import { cloudName } from './openstack.ts';

function parseToken(value: string): Parsed<string> {
  if (value.startsWith('xapp-'))
    return { found: 'xapp-…', expected: "a bot's token (xoxb-…); this is an app's (xapp-…): app_token" };
  return value.startsWith('xoxb-')
    ? { value }
    : { value, warning: "does not begin with xoxb-, as a bot's token does; Slack may refuse it" };
}

const isHttpUrl = (url: string): boolean =>
  URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);

export const slackKeys = {
  name: 'SLACK',
  keys: {
    token: key(
      'token',
      { expected: null, parse: parseToken },
      {
        secret: true,
        about: "The bot's token (xoxb-…).",
        without: 'sonny writes the events to its terminal',
        needed: ({ text }) =>
          text('SLACK', 'app_token') === null ? null : "the bot's token (xoxb-…), as app_token is set",
      },
    ),
    appToken: key(
      'app_token',
      textThat("an app's token (xapp-…)", (token) => token.startsWith('xapp-')),
      {
        secret: true,
        about: "The app's token (xapp-…), for Socket Mode.",
        without: 'sonny posts but answers no questions',
      },
    ),
    channel: key('channel', text, {
      shown: 'sonny',
      about: 'The channel to post to; required with a token.',
      more: 'The bot must be a member.',
      needed: ({ text }) =>
        text('SLACK', 'token') === null ? null : 'the channel to post to, as token is set',
    }),
    clouds: key('clouds', names('names of clouds between commas', cloudName), {
      shown: 'cloud1',
      about: 'The clouds to report on and to answer for.',
      without: '[OPENSTACK] cloud alone',
      needed: ({ process, text }) =>
        process === 'sonny' && text('OPENSTACK', 'cloud') === null
          ? 'the clouds to report on (or [OPENSTACK] cloud, for one)'
          : null,
    }),
    apiUrl: key('api_url', textThat("the URL of Slack's API, such as https://slack.com/api/", isHttpUrl), {
      about: "Another address of Slack's API, for proxies and for tests.",
      without: "Slack's own",
    }),
  },
} as const;
