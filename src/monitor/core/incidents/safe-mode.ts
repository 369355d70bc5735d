// Safe mode: Redis lost what was known of a cloud. When was the last recovery, and what was done in it? Until an
// operator accepts that nobody knows, nothing new is recovered. Recoveries under way go on: what was begun must be
// ended. Pure.

import { bearsMarkOfRecovery, wasHandled } from '../../../shared/documents/inventory.ts';
import { quoted } from '../../../shared/ground/plain.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { Draft } from '../state/draft.ts';

/** Enters safe mode, and says so; nothing happens while it stands already. */
export function enterSafeMode(draft: Draft, why: string): void {
  draft.state.unproven = false;
  if (draft.state.safeMode !== null) return;
  draft.state.safeMode = { sinceMs: draft.nowMs, why };
  draft.say({ kind: 'refused', refusal: { name: 'state-lost', hosts: [], why } });
}

/** An operator accepts it: from now on as after a first start. */
export function leaveSafeMode(draft: Draft, by: string): void {
  if (draft.state.safeMode !== null) draft.say({ kind: 'safe-mode-left', by });
  draft.state.safeMode = null;
  draft.state.unproven = false;
}

/**
 * After a start on an empty Redis, with the first inventory: hosts that carry the mark of a recovery tell that this is
 * no first start, so a cooldown may have been lost.
 */
export function judgeBeginning(draft: Draft, { hypervisors }: Picture): void {
  if (!draft.state.unproven) return;
  draft.state.unproven = false;
  const marked = hypervisors.find((h) => wasHandled(h) || bearsMarkOfRecovery(h));
  if (marked !== undefined)
    enterSafeMode(
      draft,
      `Redis is empty, yet ${marked.host} was recovered before (${quoted(marked.disabledReason ?? '')})`,
    );
}
