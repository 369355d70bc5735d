// Judges what the monitor says: each refusal once until it changes, nothing stands that was not said, nothing that stood
// vanishes without a word.
import type { State } from '../../../src/monitor/core/state.ts';
import type { EventFacts } from '../../../src/shared/documents/events/events.ts';
import { type Refusal, refusalHosts } from '../../../src/shared/documents/refusals/refusals.ts';
import { must, Violation } from './violation.ts';

/** By scope: what was said last about it. */
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
      const scopes = scopesOf(event.refusal);
      must(
        scopes.some((scope) => next[scope] !== words),
        'each refusal is said once until it changes',
        words,
      );
      for (const scope of scopes) next[scope] = words;
    }
    for (const scope of overtakenBy(event)) delete next[scope];
  }
  return next;
}

function consistent(before: State, after: State, events: readonly EventFacts[]): void {
  for (const [scope, standing] of Object.entries(after.standing)) {
    const old = before.standing[scope];
    if (standing.refusal === null || (old?.name === standing.name && old.signature === standing.signature))
      continue;
    const said = events.some(
      (e) => e.kind === 'refused' && e.refusal.name === standing.name && scopesOf(e.refusal).includes(scope),
    );
    must(said, 'what stands was said', `${scope}: ${standing.name}`);
  }
  for (const [scope, { name }] of Object.entries(before.standing)) {
    if (after.standing[scope] !== undefined) continue;
    const overtaken = events.some((e) => overtakenBy(e).includes(scope));
    must(overtaken, 'what is gone was said to be gone', `${scope}: ${name}`);
  }
  for (const event of events) {
    if (event.kind !== 'cleared') continue;
    if (before.standing[event.scope] === undefined)
      throw new Violation('nothing is cleared that did not stand', `${event.scope}: ${event.of}`);
    must(
      !after.recoveries.some((r) => r.dead === event.scope),
      'no host in recovery is called well',
      `${event.scope}: ${event.of}`,
    );
  }
}

const scopesOf = (refusal: Refusal): readonly string[] => {
  // Of a part of the cloud, of those of its hosts that nobody vouched for, or of the one that ns4 was asked to recover.
  if (refusal.name === 'control-plane-suspect') return [refusal.scope, ...refusal.hosts];
  const hosts = refusalHosts(refusal);
  return hosts.length === 0 || refusal.name === 'too-many-suspects' ? ['cloud'] : hosts;
};

/** A refusal without what merely passes: its name first. */
const passing = new Set(['ageMs', 'waitedMs', 'silentMs']);
const wordsOf = (refusal: Refusal): string =>
  `${refusal.name} ${JSON.stringify(refusal, (key, value) => (passing.has(key) ? undefined : value))}`;

/** Scopes about which something else was said. */
function overtakenBy(event: EventFacts): string[] {
  switch (event.kind) {
    case 'cleared':
      return [event.scope];
    case 'backoff-over':
    // What is lost after that is another loss.
    case 'hold-lifted':
      return ['cloud'];
    case 'evacuation-requested':
    case 'evacuation-lost':
    case 'evacuation-continued':
      return [event.dead];
    case 'evacuation-ended':
      return [event.report.dead];
    default:
      return [];
  }
}
