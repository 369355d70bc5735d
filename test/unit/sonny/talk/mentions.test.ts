// Which of Slack's events are questions, each once.
import { describe, expect, it } from 'vitest';
import { type Asked, Mentions, type MessageEvent } from '../../../../src/sonny/talk/mentions.ts';

const message = (change: MessageEvent): MessageEvent => ({
  channel: 'C1',
  ts: '1.000001',
  text: '<@U1> help',
  user: 'U2',
  ...change,
});

describe('mentions', () => {
  it.each<[string, MessageEvent, Partial<Asked> | null]>([
    ['a mention', {}, { words: 'help', channel: 'C1', threadTs: '1.000001' }],
    ['in a thread: answered there', { thread_ts: '0.5' }, { words: 'help', channel: 'C1', threadTs: '0.5' }],
    ['with a name, a colon and spaces', { text: ' <@U1|sonny>:  help' }, { words: 'help' }],
    ['alone with the bot: no mention needed', { text: 'help', channel_type: 'im' }, { words: 'help' }],
    ['no mention', { text: 'help' }, null],
    ['a mention further on', { text: 'ask <@U1> for help' }, null],
    ['a mention of somebody else', { text: '<@U11> help' }, null],
    ['by another bot', { bot_id: 'B9' }, null],
    ['by ourselves', { user: 'U1' }, null],
    ['an edit', { subtype: 'message_changed' }, null],
    ['with a file, as a plain message', { subtype: 'file_share', type: 'message' }, null],
    ['with a file, as a mention', { subtype: 'file_share', type: 'app_mention' }, { words: 'help' }],
    [
      'out of a thread, as a mention',
      { subtype: 'thread_broadcast', type: 'app_mention' },
      { words: 'help' },
    ],
    ['a mention by a bot', { subtype: 'bot_message', type: 'app_mention', bot_id: 'B9' }, null],
    ['no text at all', { text: undefined }, null],
  ])('%s', (_, change, expected) => {
    const asked = new Mentions('U1').read(message(change));
    if (expected === null) expect(asked).toBeNull();
    else expect(asked).toMatchObject(expected);
  });

  it('answers a message once, however often and as whatever it comes', () => {
    const mentions = new Mentions('U1');
    expect(mentions.read(message({}))).not.toBeNull();
    expect(mentions.read(message({ channel_type: 'channel' }))).toBeNull();
    expect(mentions.read(message({ ts: '1.000002' }))).not.toBeNull();
    expect(mentions.read(message({ channel: 'C2' }))).not.toBeNull();
  });

  it('remembers a bounded number of messages, the latest', () => {
    const mentions = new Mentions('U1');
    for (let i = 0; i < 1_500; i += 1) mentions.read(message({ ts: `${i}.0` }));
    expect(mentions.read(message({ ts: '1499.0' }))).toBeNull();
    expect(mentions.read(message({ ts: '501.0' }))).toBeNull();
    expect(mentions.read(message({ ts: '1.0' }))).not.toBeNull();
  });
});
