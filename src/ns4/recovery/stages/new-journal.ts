// What a journal begins with: the instances of its host with their places in the plan, those that came late, and what
// Nova still shows of a recovery whose journal Redis lost.
import type { Server } from '../../../shared/documents/inventory.ts';
import { type Plan, placeOf } from '../../../shared/documents/terms/plan.ts';
import type { Picture } from '../../../shared/picture/picture.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import { isMarkedBy } from '../mark.ts';
import type { Order, RecoveryTools } from '../recovery.ts';

type Tools = Pick<RecoveryTools, 'mover' | 'clock'>;

/**
 * Nothing was done yet. Of an `earlier` journal of the same recovery its proof is taken over, with what was told of it.
 */
export function newJournal(order: Order, tools: Tools, picture: Picture, earlier: Journal | null): Journal {
  const journal: Journal = {
    version: 2,
    id: order.recovery,
    incident: order.incident,
    sonny: order.sonny,
    dead: order.dead,
    plan: order.plan,
    mover: tools.mover.name,
    openedAtMs: tools.clock.nowMs(),
    judgedAtMs: order.judgedAtMs,
    evidence: [...order.evidence],
    acted: false,
    proof: earlier?.proof ?? null,
    noneFellAtMs: earlier?.noneFellAtMs ?? null,
    cutOff: earlier?.cutOff ?? null,
    progress: earlier?.progress.filter(({ progress }) => tellsOfProof(progress)) ?? [],
    instances: {},
    ended: null,
  };
  addArrivals(journal, picture);
  return journal;
}

/** Told once; and how long a host may be heard against its device counts from the first late report on. */
const ofProofs = ['powered-off', 'crash-kernel-reported', 'confirmed-off', 'late-heartbeat', 'cut-off'];

const tellsOfProof = (progress: Journal['progress'][number]['progress']): boolean =>
  typeof progress !== 'string' && ofProofs.includes(progress.step);

/** An instance whose resize or migration to the dead host ended after the journal was opened belongs to it too. */
export function addArrivals(journal: Journal, picture: Picture): void {
  for (const server of picture.serversOf(journal.dead))
    journal.instances[server.id] ??= entryOf(server, journal.plan);
}

/** A first entry for an instance found on the dead hypervisor. */
function entryOf(server: Server, plan: Plan): JournalEntry {
  const { id, name, status, vmState, taskState, powerState, launchedAtMs } = server;
  const place = placeOf(plan, id);
  const entry: JournalEntry = {
    id,
    name,
    before: { status, vmState, taskState, powerState, launchedAtMs },
    wave: place?.wave ?? 1,
    target: place?.target ?? { kind: 'scheduler' },
    otherwise: place?.otherwise ?? null,
    perhapsAtTarget: false,
    state: 'pending',
    attempts: 0,
    attemptsElsewhere: 0,
    reboot: null,
    askedAtMs: null,
    endedAtMs: null,
    report: null,
  };
  if (place !== null) return entry;
  const why = 'the plan names no target for it';
  const end = {
    outcome: 'skipped',
    why,
    before: status,
    after: null,
    to: null,
    tookMs: null,
    answers: null,
  } as const;
  return { ...entry, state: 'ended', report: { id, name, ...end } };
}

/**
 * The journal of a monitor's order that is gone from Redis, though Nova shows that the first change was made: the host
 * is forced down in the name of this very recovery (or plan, where an earlier version did it). What was asked for is not
 * known, so each instance counts as asked for just now: it is asked for again only when Nova had its time to show a
 * trace. Null: nothing was begun, or it is an operator's order.
 */
export function forgottenJournal(order: Order, tools: Tools, picture: Picture): Journal | null {
  const dead = picture.hypervisor(order.dead);
  const journal = newJournal(order, tools, picture, null);
  if (dead === undefined || !isMarkedBy(dead, journal) || order.byHand) return null;
  const askedAtMs = tools.clock.nowMs();
  const asking = { state: 'asking', attempts: 1, askedAtMs } as const;
  for (const entry of Object.values(journal.instances))
    if (entry.state === 'pending') Object.assign(entry, asking);
  return { ...journal, acted: true };
}
