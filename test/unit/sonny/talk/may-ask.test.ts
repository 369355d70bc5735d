// Who may ask: the table of the rule.
import { describe, expect, it } from 'vitest';
import { whyNotAnswered } from '../../../../src/sonny/talk/may-ask.ts';
import type { MessageEvent } from '../../../../src/sonny/talk/mentions.ts';

const rules = { teams: ['T1', 'E1'], channels: new Set(['C1', 'C2']), direct: false };
const event = (change: MessageEvent): MessageEvent => ({ channel: 'C1', team: 'T1', ...change });

describe('a question', () => {
  it.each([
    ['in the channel, by the own people', {}, null],
    ['in a further channel', { channel: 'C2' }, null],
    ['by somebody of the own Grid', { user_team: 'E1' }, null],
    ['elsewhere', { channel: 'C3' }, /neither/],
    ['nowhere', { channel: undefined }, /neither/],
    ['by another workspace', { team: 'T2' }, /another workspace/],
    ['by a user of another workspace', { user_team: 'T2' }, /another workspace/],
    ['out of another workspace', { source_team: 'T2' }, /another workspace/],
    ['by nobody knows whom, among our own', { team: undefined, shared: false }, null],
    ['by nobody knows whom, among strangers', { team: undefined, shared: true }, /nobody knows whom/],
    ['alone with the bot', { channel: 'D1', channel_type: 'im' }, /direct is no/],
  ])('%s', (_, change, expected) => {
    const why = whyNotAnswered(event(change), rules);
    if (expected === null) expect(why).toBeNull();
    else expect(why).toMatch(expected);
  });

  it('alone with the bot is answered where direct messages are allowed, to the own people', () => {
    const alone = event({ channel: 'D1' });
    expect(whyNotAnswered(alone, { ...rules, direct: true })).toBeNull();
    expect(whyNotAnswered({ ...alone, user_team: 'T2' }, { ...rules, direct: true })).not.toBeNull();
  });
});
