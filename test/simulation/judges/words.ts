// Judges what the monitor says: each refusal once until it changes, nothing stands that was not said, nothing that
// stood vanishes without a word.
import type { State } from '../../../src/monitor/core/state/state.ts';
import type { EventFacts } from '../../../src/shared/documents/events/events.ts';
import { type Refusal, refusalScopes } from '../../../src/shared/documents/refusals/refusals.ts';
import { hostScope, type Scope, scopeKey } from '../../../src/shared/documents/terms/scope.ts';
import { placeOf, standingOf, underwayIn } from './standing.ts';
import { must, Violation } from './violation.ts';

/** By place: what was said last about it. */
export type Said = Readonly<Record<string, string>>;

export function judgeWords(
  said: Said,
  before: State | null,
  after: State,
  events: readonly EventFacts[],
): Said {
  if (before !== null) consistent(before, after, events);
  const next: Record<string, string> = { ...said };
  for (const event of events) {
    if (event.kind === 'refused') {
      const words = wordsOf(event.refusal);
      const places = placesOf(event.refusal);
      must(
        places.some((place) => next[place] !== words),
        'each refusal is said once until it changes',
        words,
      );
      for (const place of places) next[place] = words;
    }
    for (const place of Object.keys(next))
      if (isOvertaken(place, next[place] ?? '', event)) delete next[place];
  }
  return next;
}

function consistent(before: State, after: State, events: readonly EventFacts[]): void {
  const [old, now] = [standingOf(before), standingOf(after)];
  for (const [place, standing] of now) {
    const was = old.get(place);
    if (standing.refusal === null || (was?.name === standing.name && was.signature === standing.signature))
      continue;
    const said = events.some(
      (e) => e.kind === 'refused' && e.refusal.name === standing.name && placesOf(e.refusal).includes(place),
    );
    must(said, 'what stands was said', `${place}: ${standing.name}`);
  }
  for (const [place, { name }] of old) {
    if (now.has(place)) continue;
    const overtaken = events.some((e) => isOvertaken(place, name, e));
    must(overtaken, 'what is gone was said to be gone', `${place}: ${name}`);
  }
  const recovering = new Set(underwayIn(before).map(({ dead }) => dead));
  for (const event of events) {
    if (event.kind === 'host-dead')
      must(!recovering.has(event.host), 'no host in recovery is judged again', event.host);
    if (event.kind !== 'cleared') continue;
    if (![...old].some(([place, { name }]) => isAbout(place, event.scope) && name === event.of))
      throw new Violation('nothing is cleared that did not stand', `${scopeKey(event.scope)}: ${event.of}`);
    must(
      !underwayIn(after).some(({ dead }) => scopeKey(event.scope) === scopeKey(hostScope(dead))),
      'no host in recovery is called well',
      `${scopeKey(event.scope)}: ${event.of}`,
    );
  }
}

function placesOf(refusal: Refusal): readonly string[] {
  // Of a part of the cloud, of those of its hosts that nobody vouched for, or of the one that ns4 was asked to recover.
  const scopes =
    refusal.name === 'control-plane-suspect'
      ? [refusal.scope, ...refusal.hosts.map(hostScope)]
      : refusalScopes(refusal);
  return scopes.map((scope) => placeOf(scope, refusal));
}

const isAbout = (place: string, scope: Scope): boolean =>
  place === scopeKey(scope) || (scope.kind !== 'host' && place.startsWith(`${scopeKey(scope)} `));

/** A refusal without what merely passes: its name first. */
const passing = new Set(['ageMs', 'waitedMs', 'silentMs']);
const wordsOf = (refusal: Refusal): string =>
  `${refusal.name} ${JSON.stringify(refusal, (key, value) => (passing.has(key) ? undefined : value))}`;

/** Was something else said about this place, where `words` (that begin with a name) were said last? */
function isOvertaken(place: string, words: string, event: EventFacts): boolean {
  const ofHost = (host: string) => place === scopeKey(hostScope(host));
  switch (event.kind) {
    case 'cleared':
      return isAbout(place, event.scope) && words.split(' ')[0] === event.of;
    case 'backoff-over':
      return words.startsWith('too-many-suspects');
    // What is lost after that is another loss.
    case 'safe-mode-left':
      return words.startsWith('state-lost');
    case 'suspects-found':
      // An earlier incident of the host is over: this is another one.
      return event.hosts.some(({ host }) => ofHost(host));
    // It was recovered by somebody else.
    case 'return-watched':
      return event.hosts.some(({ host }) => ofHost(host));
    case 'returned':
    case 'recovery-requested':
    case 'recovery-lost':
    case 'recovery-continued':
      return ofHost(event.host);
    case 'recovery-ended':
      return ofHost(event.report.dead);
    default:
      return false;
  }
}
