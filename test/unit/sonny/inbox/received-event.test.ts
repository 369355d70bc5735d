// Events of this version, of others, and what is none.
import { describe, expect, it } from 'vitest';
import { announce, type EventFacts } from '../../../../src/shared/documents/events/events.ts';
import { longestWithFacts, parseEvent } from '../../../../src/sonny/inbox/received-event.ts';

const facts: EventFacts = { kind: 'host-dead', host: 'hv01', evidence: ['no heartbeat'] };
const event = announce('cloud1', 1_000, facts, ['20261121T120000-hv01']);
const { incidents: _, ...withoutIncidents } = event;
const parse = (json: unknown) => parseEvent(JSON.stringify(json));

describe('an event', () => {
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
    expect(parse(long(longestWithFacts))).toEqual({ ...long(longestWithFacts), facts: null });
    expect(parse(long(longestWithFacts / 3))?.facts).not.toBeNull();
  });

  it.each(['', '{', 'null', '[]', '{}', JSON.stringify({ ...event, text: 7 })])('%s is none', (text) => {
    expect(parseEvent(text)).toBeNull();
  });
});
