// The words of an entry: the sentence of an event is made from its facts. Pure.
import { type EventFacts, sentence } from '../../shared/documents/events/events.ts';
import type { Entry, Lost } from '../inbox/entry.ts';

/** What an entry says, as plain text; null: nothing. */
export function wordsOf({ message }: Pick<Entry, 'message'>): string | null {
  if (message === null) return null;
  switch (message.kind) {
    case 'event':
      return eventText(message.facts, message.text);
    case 'lost':
      return lostText(message.lost);
    case 'own':
      return message.text;
  }
}

function eventText(facts: EventFacts | null, finished: string): string {
  if (facts === null) return finished;
  try {
    return sentence(facts).text;
  } catch {
    // Facts of the right shape can hold what cannot be said, such as a time beyond the calendar.
    return finished;
  }
}

function utc(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function lostText({ count, afterMs, beforeMs }: Lost): string {
  const what =
    count === null ? 'an unknown number of events' : count === 1 ? '1 event' : `up to ${count} events`;
  const since = afterMs === 0 ? 'before' : `between ${utc(afterMs)} and`;
  return `I missed ${what} ${since} ${utc(beforeMs)}: I was away for longer than the stream keeps them.`;
}
