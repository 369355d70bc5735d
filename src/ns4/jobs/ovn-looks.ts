// What several looks at Neutron's list of agents tell of OVN's rows. OVN agents send no heartbeats: whoever lists agents
// pings them, at most once in agent_down_time / 2, and the answer mostly shows the beats from before. So each beat is
// compared with the row's own earlier one, never with a clock (docs/facts.md#ovn). Pure.
import { type Agent, deletedChassis, kindOfAgent, type OvnState } from '../../shared/documents/inventory.ts';
import type { AgentRecord } from '../cloud/cloud.ts';

/** One list of the agents. */
export interface Look {
  /** When it was asked for. */
  readonly atMs: number;
  readonly agents: readonly AgentRecord[];
}

/** An OVN row with what the looks came to. Of one that vanished: as it was known before. */
export interface OvnRow {
  readonly record: AgentRecord;
  readonly state: OvnState;
}

/** Older Neutrons stamp a row with the moment of the request: from look to look it moves as the time does. */
const stampToleranceMs = 1_000;

/**
 * Shall there be one look more? Somebody moved, and somebody who is not known to be silent has not: he may be late. One
 * that was never seen to beat as well: left out now, his answer would look like one to another ping the next time.
 */
export function isSomebodyLate(looks: readonly Look[], earlier: readonly Agent[]): boolean {
  const sights = sightsOf(looks, earlier).filter(({ kind }) => kind === 'ovn');
  return sights.some(hasMoved) && sights.some(isPerhapsLate);
}

/**
 * The OVN rows of the looks, and those that were known `earlier` and are gone. The looks are in their order; the last
 * one lies at least two seconds after the first.
 */
export function judgeLooks(looks: readonly Look[], earlier: readonly Agent[]): OvnRow[] {
  const sights = sightsOf(looks, earlier);
  const controllers = sights.filter(({ kind }) => kind === 'ovn');
  const about: About = {
    lookedAtMs: looks[0]?.atMs ?? 0,
    isAsked: wereAsked(controllers),
    isAnyAlive: controllers.some(({ record }) => record.alive && record.host !== deletedChassis),
    isStampOfRequest: stampsFollowRequests(looks, sights),
    aheadAtMs: controllers.some(isPerhapsLate) ? (looks.at(-1)?.atMs ?? null) : null,
  };
  const seen = new Set(sights.map(({ record }) => record.id));
  const gone = earlier.filter((a) => a.ovn !== null && kindOfAgent(a) === 'ovn' && !seen.has(a.id));
  return [
    ...sights.map((sight) => ({ record: sight.record, state: stateOf(sight, about) })),
    ...gone.flatMap((agent) =>
      agent.ovn === null
        ? []
        : [{ record: recordOf(agent), state: goneState(agent.ovn, about, controllers.length > 0) }],
    ),
  ];
}

interface Beat {
  readonly atMs: number;
  readonly beatMs: number;
}

interface Sight {
  readonly kind: 'ovn' | 'ovn-helper';
  /** As the last look that showed it has it. */
  readonly record: AgentRecord;
  readonly known: OvnState | null;
  readonly baseMs: number;
  /** The newest beat since the base, and the look that showed one first; null: it has not moved. */
  readonly moved: Beat | null;
}

interface About {
  readonly lookedAtMs: number;
  /** Somebody pinged all since their base. */
  readonly isAsked: boolean;
  readonly isAnyAlive: boolean;
  readonly isStampOfRequest: boolean;
  /** Of the look that was a ping itself, perhaps: whoever moved in it may have answered before the others; null: none. */
  readonly aheadAtMs: number | null;
}

const hasMoved = ({ moved }: Sight): boolean => moved !== null;

const isPerhapsLate = ({ known, moved }: Sight): boolean =>
  moved === null && known !== null && known.says !== 'silent';

/** It answered a ping that others are seen to answer the next time only. */
const isAhead = (known: OvnState | null): boolean => known?.says === 'alive' && known.isBehind;

function sightsOf(looks: readonly Look[], earlier: readonly Agent[]): Sight[] {
  const known = new Map(earlier.map((agent) => [agent.id, agent.ovn]));
  const beats = new Map<string, { record: AgentRecord; atMs: number }[]>();
  for (const { atMs, agents } of looks)
    for (const record of agents) {
      if (kindOfAgent(record) === 'reports') continue;
      beats.set(record.id, [...(beats.get(record.id) ?? []), { record, atMs }]);
    }
  return [...beats.values()].flatMap((shown): Sight[] => {
    const [first, last] = [shown[0], shown.at(-1)];
    if (first === undefined || last === undefined) return [];
    const before = known.get(last.record.id) ?? null;
    const baseMs = before?.baseMs ?? first.record.heartbeatAtMs;
    const moved = movementOf(
      shown.map(({ record, atMs }) => ({ atMs, beatMs: record.heartbeatAtMs })),
      baseMs,
    );
    const kind = kindOfAgent(last.record) === 'ovn' ? 'ovn' : 'ovn-helper';
    return [{ kind, record: last.record, known: before, baseMs, moved }];
  });
}

/**
 * A beat that is older than the base is one of an API worker that lags behind; unless it grows from look to look: then the
 * host's clock was set back.
 */
function movementOf(beats: readonly Beat[], baseMs: number): Sight['moved'] {
  const moves = beats.filter(
    ({ beatMs }, i) =>
      beatMs > baseMs || (beatMs < baseMs && beats.slice(0, i).some((before) => before.beatMs < beatMs)),
  );
  const [first, last] = [moves[0], moves.at(-1)];
  return first === undefined || last === undefined ? null : { atMs: first.atMs, beatMs: last.beatMs };
}

/**
 * One that was late and catches up says nothing of the others, nor does one alone that was started anew: at least half of
 * those who answered the last time have to.
 */
function wereAsked(controllers: readonly Sight[]): boolean {
  const upToDate = controllers.filter(({ known }) => known !== null && (!known.isBehind || isAhead(known)));
  const movers = upToDate.filter(hasMoved);
  return movers.length > 0 && movers.length * 2 >= upToDate.length;
}

function stampsFollowRequests(looks: readonly Look[], sights: readonly Sight[]): boolean {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined || first === last || sights.length === 0) return false;
  const passedMs = last.atMs - first.atMs;
  // Once known it takes a row that stands still: a slow answer of Neutron's alone does not make beats of stamps.
  const wereStamps = sights.some(({ known }) => known?.why === 'stamp-is-the-request');
  const before = new Map(first.agents.map(({ id, heartbeatAtMs }) => [id, heartbeatAtMs]));
  return sights.every(({ record }) => {
    const beforeMs = before.get(record.id);
    if (beforeMs === undefined) return false;
    const movedMs = record.heartbeatAtMs - beforeMs;
    return wereStamps ? movedMs > 0 : Math.abs(movedMs - passedMs) <= stampToleranceMs;
  });
}

function stateOf(sight: Sight, about: About): OvnState {
  const { known, baseMs, moved, record, kind } = sight;
  const { lookedAtMs, isAsked, isAnyAlive, isStampOfRequest } = about;
  const stays: OvnState = {
    ...{ says: 'cannot-tell', why: 'never-moved', heardAtMs: null, heardAfterMs: null, silentSinceMs: null },
    ...known,
    ...{ baseMs: moved?.beatMs ?? baseMs, isBehind: known?.isBehind ?? true, lookedAtMs },
  };
  const silent = (why: OvnState['why'], sinceMs = lookedAtMs): OvnState => {
    const silentSinceMs = (known?.says === 'silent' ? known.silentSinceMs : null) ?? sinceMs;
    return { ...stays, says: 'silent', why, isBehind: true, silentSinceMs };
  };
  if (isStampOfRequest) {
    if (kind === 'ovn' && !record.alive && isAnyAlive) return silent('called-dead');
    return {
      ...stays,
      says: 'cannot-tell',
      why: 'stamp-is-the-request',
      isBehind: true,
      silentSinceMs: null,
    };
  }
  if (moved !== null && record.host !== deletedChassis) {
    const heardAfterMs = known?.lookedAtMs ?? lookedAtMs;
    const heard = { heardAtMs: moved.atMs, heardAfterMs, silentSinceMs: null };
    const isBehind = moved.atMs === about.aheadAtMs;
    return { ...stays, ...heard, says: 'alive', why: 'moved', isBehind };
  }
  if (kind === 'ovn-helper') return { ...stays, says: 'cannot-tell', why: 'never-moved' };
  if (record.host === deletedChassis) return isAnyAlive ? silent('deleted') : stays;
  if (!record.alive && isAnyAlive) return silent('called-dead', Math.min(lookedAtMs, record.heartbeatAtMs));
  if (isAhead(known)) return { ...stays, isBehind: !isAsked };
  const isOfALaggingWorker = record.heartbeatAtMs < baseMs;
  return known !== null && isAsked && !isOfALaggingWorker ? silent('missed') : stays;
}

/** Gone while others are shown is silence; all gone tells of whoever asks. */
function goneState(known: OvnState, { lookedAtMs }: About, areOthersShown: boolean): OvnState {
  if (!areOthersShown)
    return {
      ...known,
      says: 'cannot-tell',
      why: 'all-gone',
      isBehind: true,
      silentSinceMs: null,
      lookedAtMs,
    };
  const silentSinceMs = (known.says === 'silent' ? known.silentSinceMs : null) ?? lookedAtMs;
  return { ...known, says: 'silent', why: 'vanished', isBehind: true, silentSinceMs, lookedAtMs };
}

const recordOf = ({ id, statedHost, binary, heartbeatAtMs }: Agent): AgentRecord => ({
  ...{ id, host: statedHost, binary, heartbeatAtMs, alive: false },
});
