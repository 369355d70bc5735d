// What stands until its own reason is gone: a refusal about a host stands on its incident, one about the cloud or a
// part of it on the state. Said once when it arises or changes, and once when it is over. Pure.
import type { EventFacts } from '../../../shared/documents/events/events.ts';
import {
  type Refusal,
  type RefusalName,
  refusalCondition,
  refusalEntry,
  refusalScopes,
  refusalSignature,
} from '../../../shared/documents/refusals/refusals.ts';
import { isSameScope, type Scope } from '../../../shared/documents/terms/scope.ts';
import type { Draft } from '../state/draft.ts';
import { isOfIncident, type Raised } from '../state/state.ts';
import { openIncident } from './incidents.ts';

interface RaiseOptions {
  /** Who found it; the monitor unless said otherwise. */
  readonly by?: Raised['by'];
  /**
   * What it stands for, when that is neither its hosts nor the cloud: a zone, say, whose silent hosts may become more.
   */
  readonly scope?: Scope;
  /** Instead of what its entry says makes it another one. */
  readonly signature?: string;
  /** Also when the same one stands. */
  readonly isSaidAgain?: boolean;
}

/** Says a refusal unless the same one already stands for its hosts (or the cloud, or the given scope), see `options`. */
export function raise(draft: Draft, refusal: Refusal, options: RaiseOptions = {}): void {
  const { by = 'monitor', scope, signature = refusalSignature(refusal), isSaidAgain = false } = options;
  const scopes = scope === undefined ? refusalScopes(refusal) : [scope];
  const whole =
    scope === undefined ? `${signature}|${refusalEntry(refusal).about(refusal).join(',')}` : signature;
  const raised = scopes.map(
    (about): Raised => ({ scope: about, refusal, signature: whole, sinceMs: draft.nowMs, by }),
  );
  let isNews = isSaidAgain;
  for (const one of raised) {
    const standing = standingBeside(draft, one);
    const isSame = standing?.refusal.name === refusal.name && standing.signature === whole;
    // Said by the one, it is no news from the other; but who found it last tells what the next round may repeat.
    put(draft, isSame ? { ...standing, by } : one);
    isNews ||= !isSame;
  }
  if (isNews) draft.say({ kind: 'refused', refusal });
}

/** What stands in the place that this one would take. */
function standingBeside(draft: Draft, { scope, refusal }: Raised): Raised | null {
  if (isOfIncident(scope) && 'name' in scope) return draft.incident(scope.name)?.raised ?? null;
  const condition = refusalCondition(refusal);
  return (
    draft.state.raised.find(
      (r) => isSameScope(r.scope, scope) && refusalCondition(r.refusal) === condition,
    ) ?? null
  );
}

function put(draft: Draft, raised: Raised): void {
  const { scope, refusal, by } = raised;
  if (scope.kind === 'host') {
    const stages = { picture: 'suspect', suspicion: 'suspect', death: 'dead', recovery: 'dead' } as const;
    const stage = by === 'ns4' ? 'dead' : stages[refusalEntry(refusal).stage];
    const incident = openIncident(draft, scope.name, stage);
    const keeps = incident.stage === 'away' || incident.stage === 'recovering';
    draft.put({ ...incident, raised, stage: keeps ? incident.stage : stage });
    return;
  }
  const before = standingBeside(draft, raised);
  draft.state.raised = [...draft.state.raised.filter((r) => r !== before), raised];
}

/** Its reason is gone: what stands about the cloud or a part of it under this condition is over, which is said once. */
export function clearPart(draft: Draft, matches: (raised: Raised) => boolean): void {
  for (const raised of draft.state.raised)
    if (matches(raised)) {
      draft.state.raised = draft.state.raised.filter((r) => r !== raised);
      draft.say({ kind: 'cleared', scope: raised.scope, of: raised.refusal.name });
    }
}

/** The same without a word, because something else is said about it. */
export function forgetPart(draft: Draft, name: RefusalName): void {
  draft.state.raised = draft.state.raised.filter((r) => r.refusal.name !== name);
}

/** The host is well: its incident is closed, and that is said. Of one that is away only the refusal is over. */
export function clearHost(draft: Draft, host: string): void {
  const incident = draft.incident(host);
  if (incident === undefined || incident.recovery !== null) return;
  const isAway = incident.stage === 'away';
  if (isAway && incident.raised === null) return;
  const of: (EventFacts & { kind: 'cleared' })['of'] =
    incident.raised?.refusal.name ?? suspicionOf(incident.stage);
  draft.say({ kind: 'cleared', scope: incident.subject, of });
  if (isAway) draft.put({ ...incident, raised: null });
  else draft.remove(incident);
}

const suspicionOf = (stage: string): 'suspect' | 'silent' => (stage === 'suspect' ? 'suspect' : 'silent');
