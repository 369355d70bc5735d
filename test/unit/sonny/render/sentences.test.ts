// What is said: the sentence of this version where the facts are known, else the one that came along.
import { describe, expect, it } from 'vitest';
import { type EventFacts, sentence } from '../../../../src/shared/documents/events/events.ts';
import type { Message } from '../../../../src/sonny/inbox/entry.ts';
import { wordsOf } from '../../../../src/sonny/render/sentences.ts';

const event = (facts: EventFacts | null): Message => ({ kind: 'event', facts, text: 'Finished elsewhere.' });

describe('the words of an entry', () => {
  it('are made from the facts that are known', () => {
    const facts: EventFacts = { kind: 'returned', host: 'hv01' };
    expect(wordsOf({ message: event(facts) })).toBe('hv01 is back in service.');
  });

  it('are the finished sentence without facts', () => {
    expect(wordsOf({ message: event(null) })).toBe('Finished elsewhere.');
  });

  it('are the finished sentence where the facts hold what cannot be said', () => {
    const facts: EventFacts = {
      kind: 'progress',
      incident: 'i',
      recovery: 'i.1',
      host: 'hv01',
      targets: [],
      progress: { step: 'confirmed-off', who: 'me', atMs: 1e18, failed: [] },
    };
    expect(() => sentence(facts)).toThrow();
    expect(wordsOf({ message: event(facts) })).toBe('Finished elsewhere.');
  });

  it.each([
    [{ count: 7, afterMs: 0, beforeMs: 60_000 }, 'I missed up to 7 events before 1970-01-01 00:01 UTC'],
    [{ count: 1, afterMs: 60_000, beforeMs: 120_000 }, 'I missed 1 event between 1970-01-01 00:01 UTC and'],
    [
      { count: null, afterMs: 0, beforeMs: 1e18 },
      'I missed an unknown number of events before an unknown time',
    ],
  ])('tell what was lost: %j', (lost, expected) => {
    expect(wordsOf({ message: { kind: 'lost', lost } })).toContain(expected);
  });

  it("are sonny's own, or none", () => {
    expect(wordsOf({ message: { kind: 'own', text: 'I am here.' } })).toBe('I am here.');
    expect(wordsOf({ message: null })).toBeNull();
  });
});
