// Whose turn it is: which of the instances that may be asked for are asked for now. One for each target first, the
// canary; the rest when Nova has begun with it there; none where it shows that it takes none.

import { targetText } from '../../../../shared/documents/terms/plan.ts';
import { groupBy } from '../../../../shared/ground/group-by.ts';
import { quoted } from '../../../../shared/ground/plain.ts';
import { type JournalEntry, namesOf } from '../../journal/journal.ts';
import type { InstanceProgress } from '../instance-progress.ts';
import type { LastLook } from '../last-look.ts';
import { endInstance, type Moving } from '../mover.ts';
import { isEvacuationOf } from '../under-way.ts';
import { type Candidate, canaryOf, standingOf, type TargetStanding } from './canary.ts';
import { ask, turnElsewhere } from './request.ts';
import type { Sighting } from './sighting.ts';

/** A canary that Nova has not begun with by then is told of: the others wait for it. */
const toldAfterMs = 30_000;
/** By then the others take the other target of the plan, where there is one. */
const patienceMs = 120_000;

/** One that may be asked for; `why`: what Nova said when it gave up on it before, if it did. */
export interface Ready extends Candidate {
  readonly why: string | null;
}

/** What the look at all instances came to. */
export interface Field {
  readonly ready: readonly Ready[];
  /** Places that are taken. */
  readonly busy: number;
  /** Ids of those whose request or migration is on its way. */
  readonly out: ReadonlySet<string>;
  readonly sighting: Sighting;
  /** When the recovery began, by the cloud's clock: older migrations are not its own. */
  readonly sinceMs: number;
  judge(entry: JournalEntry, look: LastLook): InstanceProgress;
}

export interface Turns {
  /** Somebody was not asked for, as the last look showed something new or was too old. */
  readonly lookAgain: boolean;
  /** So, and nobody of them had his end by it. */
  readonly isFutile: boolean;
  /** Why nobody can tell who has their disks open; null: they could be asked. */
  readonly untold: string | null;
  /** Others wait for a canary: its next step is wanted soon. */
  readonly isCanaryOut: boolean;
}

/** Asks for as many as there is room for. `told`: targets whose silence was told already; it is added to. */
export async function takeTurns(moving: Moving, field: Field, told: Set<string>): Promise<Turns> {
  const next: JournalEntry[] = [];
  let isCanaryOut = false;
  for (const ready of groupBy(field.ready, ({ entry }) => targetText(entry.target)).values()) {
    const [first] = ready;
    if (first === undefined) continue;
    const standing = standingAt(moving, field, first.entry);
    if (standing.kind === 'takes') next.push(...ready.map(({ entry }) => entry));
    if (standing.kind === 'refuses') for (const one of ready) await giveUp(moving, one, standing.why);
    if (standing.kind === 'untried') {
      next.push((canaryOf(ready) ?? first).entry);
      isCanaryOut ||= ready.length > 1;
    }
    if (standing.kind === 'tried') isCanaryOut ||= await waitFor(moving, standing.by, ready, told);
  }
  const room = Math.max(0, moving.concurrency - field.busy);
  const isAnyAsked = next.length > 0 && room > 0;
  if (isAnyAsked) await moving.confirmSilence();
  if (isAnyAsked && (await areHeard(moving, field.ready)))
    return { lookAgain: true, isFutile: true, untold: null, isCanaryOut };
  const { judge, sighting } = field;
  const ground = { judge, aheadMs: sighting.aheadMs };
  const results = await Promise.allSettled(next.slice(0, room).map((entry) => ask(moving, entry, ground)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const values = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
  const [untold = null] = values.flatMap((value) => (typeof value === 'string' ? [] : [value.untold]));
  const lookAgain = values.some((value) => value !== 'asked');
  return { lookAgain, isFutile: lookAgain && !values.includes('ended'), untold, isCanaryOut };
}

/**
 * Does any of those that may be asked for again answer? They are no witnesses of the watch for signs of life, and tell as
 * well of those that are asked for now, for the first time. Without a trace in Nova nothing can have started one
 * elsewhere; after an evacuation that failed it may run at its target, and stays there.
 */
async function areHeard(moving: Moving, ready: readonly Ready[]): Promise<boolean> {
  const again = ready.filter(({ entry }) => entry.attempts > 0);
  if (again.length === 0) return false;
  const heard = await moving.heard(again.map(({ entry }) => entry.id));
  const failed = new Map(again.flatMap(({ entry, why }) => (why === null ? [] : [[entry.id, entry]])));
  const there = heard.filter(({ id }) => !failed.has(id));
  if (there.length > 0) await moving.leaveAlone(there);
  for (const { id, on } of heard) {
    const entry = failed.get(id);
    const why = `it answers (${on}), so it runs somewhere`;
    if (entry !== undefined)
      await endInstance(moving, entry, { outcome: 'skipped', why, after: null, to: null });
  }
  return heard.length > 0;
}

function standingAt(
  { journal }: Moving,
  { sighting, sinceMs, out }: Field,
  { target }: JournalEntry,
): TargetStanding {
  return standingOf(target, {
    entries: Object.values(journal.instances),
    records: ({ id }) =>
      (sighting.migrations.get(id) ?? []).filter(
        (m) => isEvacuationOf(journal.dead, m) && m.createdAtMs >= sinceMs,
      ),
    isOut: ({ id }) => out.has(id),
  });
}

/** The target takes none: the other one of the plan, or the end. */
async function giveUp(moving: Moving, { entry, why }: Ready, refusal: string): Promise<void> {
  if (turnElsewhere(moving, entry, refusal)) return;
  const nowhere = { after: null, to: null };
  if (entry.attempts > entry.attemptsElsewhere)
    await endInstance(moving, entry, { outcome: 'failed', why: why ?? refusal, ...nowhere });
  else
    await endInstance(moving, entry, {
      outcome: 'unfinished',
      why: `not asked for, as ${refusal}`,
      ...nowhere,
    });
}

/** True as long as its next step may be expected at any moment. */
async function waitFor(
  moving: Moving,
  canary: JournalEntry,
  ready: readonly Ready[],
  told: Set<string>,
): Promise<boolean> {
  const { clock, journal } = moving;
  const forMs = clock.nowMs() - (canary.askedAtMs ?? journal.openedAtMs);
  const target = targetText(canary.target);
  if (forMs > toldAfterMs && !told.has(target)) {
    told.add(target);
    const progress = { step: 'canary-waits', instance: canary.name, target, waiting: ready.length } as const;
    await moving.say({ kind: 'progress', ...namesOf(journal), progress });
  }
  if (forMs > patienceMs)
    for (const { entry } of ready)
      turnElsewhere(moving, entry, `${target} does not begin with ${quoted(canary.name)}`);
  return forMs <= toldAfterMs;
}
