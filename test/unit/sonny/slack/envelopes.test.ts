// Raw messages of Slack's socket: whatever comes, it is understood or passed over, never thrown at.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnvelope } from '../../../../src/sonny/slack/envelopes.ts';

const message = { type: 'message', channel: 'C1', ts: '1.1', text: 'hi', user: 'U2', team: 'T1' };
const envelope = (payload: unknown, change: object = {}) =>
  JSON.stringify({ type: 'events_api', envelope_id: 'e1', payload, ...change });

describe('an envelope', () => {
  it.each([
    ['the greeting', '{"type":"hello","num_connections":1}', { kind: 'hello' }],
    ['a request for a fresh connection', '{"type":"disconnect","reason":"x"}', { kind: 'disconnect' }],
    [
      'a message',
      envelope({ event: message }),
      { kind: 'event', id: 'e1', event: { text: 'hi', shared: false } },
    ],
    [
      'a message in a channel shared with others',
      envelope({ event: message, is_ext_shared_channel: true }),
      { event: { shared: true } },
    ],
    [
      'a message that may be shared or not',
      envelope({ event: message, is_ext_shared_channel: 'no' }),
      { event: { shared: true } },
    ],
    [
      'a message by a bot, however it says so',
      envelope({ event: { ...message, bot_id: 7 } }),
      { event: { bot_id: '7' } },
    ],
    ['a text that is none', envelope({ event: { ...message, text: null } }), { event: { text: undefined } }],
    [
      'another event',
      envelope({ event: { type: 'reaction_added' } }),
      { kind: 'event', id: 'e1', event: null },
    ],
    [
      'an event by the name of one of the client',
      envelope({ event: { type: 'close' } }),
      { id: 'e1', event: null },
    ],
    ['a button', envelope({}, { type: 'interactive' }), { id: 'e1', event: null }],
    ['no payload', envelope(undefined), { id: 'e1', event: null }],
    ['no event', envelope({ event: null }), { id: 'e1', event: null }],
    ['no id', envelope({ event: message }, { envelope_id: 7 }), { kind: 'odd' }],
    ['a list', '[]', { kind: 'odd' }],
    ['more than Slack sends', envelope({ event: message, more: 'x'.repeat(4_000_000) }), { kind: 'odd' }],
    [
      'a text without an end',
      envelope({ event: { ...message, text: 'x'.repeat(100_000) } }),
      { event: { text: 'x'.repeat(4_000) } },
    ],
    [
      'ids that are none',
      envelope({ event: { ...message, ts: '1'.repeat(1_000), team: 'T'.repeat(101) } }),
      { event: { ts: undefined, team: undefined, text: 'hi' } },
    ],
    ['nothing', 'null', { kind: 'odd' }],
    ['no JSON', '{', { kind: 'odd' }],
  ])('%s', (_, raw, expected) => {
    expect(readEnvelope(raw)).toMatchObject(expected);
  });

  it('never throws, and is acknowledged whenever it has an id', () => {
    const payload = fc.oneof(
      fc.jsonValue(),
      fc.record({ event: fc.jsonValue() }),
      fc.record({
        event: fc.record({ type: fc.constantFrom('message', 'app_mention'), text: fc.jsonValue() }),
      }),
    );
    fc.assert(
      fc.property(fc.string(), (raw) => readEnvelope(raw).kind !== 'event'),
      { seed: 12 },
    );
    fc.assert(
      fc.property(payload, (given) => readEnvelope(envelope(given)).kind === 'event'),
      { seed: 12, numRuns: 1_000 },
    );
  });
});
