// Events of this version, of others, and what is none.
import { describe, expect, it } from 'vitest';
import { announce, type EventFacts } from '../../../../src/shared/documents/events/events.ts';
import { longestWithFacts, parseEvent } from '../../../../src/sonny/inbox/received-event.ts';

const facts: EventFacts = { kind: 'host-dead', host: 'hv01', evidence: ['no heartbeat'] };
const event = announce('cloud1', 1_000, facts, ['20261121T120000-hv01']);
const { incidents: _, ...withoutIncidents } = event;
const parse = (json: unknown) => parseEvent(JSON.stringify(json));

describe('an event', () => {
  it('is held within bounds, whoever wrote it', () => {
    const long = 'x'.repeat(100_000);
    const found = parse({ ...event, cloud: long, text: long, incidents: [long] });
    expect(found).toMatchObject({ cloud: 'x'.repeat(255), incidents: ['x'.repeat(255)] });
    expect(found?.text).toHaveLength(20_000);
    expect(parse({ ...event, incidents: Array(10_000).fill('a') })?.incidents).toEqual([]);
    expect(parse({ ...event, more: 'x'.repeat(4_000_000) })).toBeNull();
  });

  it('of this version comes whole', () => {
    expect(parse(event)).toEqual(event);
  });

  it.each([
    ['a kind of a newer monitor', { ...event, facts: { kind: 'of-next-year', host: 'hv01' } }],
    ['facts of another shape', { ...event, facts: { kind: 'host-dead', evidence: 'none' } }],
    ['a refusal of a newer ns4', { ...event, facts: { kind: 'refused', refusal: { name: 'of-next-year' } } }],
  ])('%s: its finished sentence and its incidents', (__, json) => {
    expect(parse(json)).toEqual({ ...event, facts: null });
  });

  it.each([
    ['1', { ...withoutIncidents, version: 1 }, []],
    ['3', { ...event, version: 3 }, event.incidents],
  ])('of version %s: its finished sentence, although its kind has a known name', (__, json, incidents) => {
    expect(parse(json)).toEqual({ ...event, version: json.version, incidents, facts: null });
  });

  it('with a level of a newer version is heard as a warning', () => {
    expect(parse({ ...event, version: 3, level: 'critical' })).toMatchObject({ level: 'warning' });
  });

  it('that is too long to hold keeps its sentence and its incidents', () => {
    const long = (characters: number) =>
      announce('cloud1', 1_000, { kind: 'returned', host: 'h'.repeat(characters) }, ['i']);
    const { text, ...others } = long(longestWithFacts);
    expect(parse({ ...others, text })).toEqual({ ...others, text: text.slice(0, 20_000), facts: null });
    expect(parse(long(longestWithFacts / 3))?.facts).not.toBeNull();
  });

  it.each(['', '{', 'null', '[]', '{}', JSON.stringify({ ...event, text: 7 })])('%s is none', (text) => {
    expect(parseEvent(text)).toBeNull();
  });
});
