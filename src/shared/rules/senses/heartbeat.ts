// A host's heartbeat: what its senses of the control plane say together. One that hears it vetoes; silent is who is
// silent to all that can tell, to one at least. Pure; the monitor and ns4 ask alike.
import type { Unjudged } from '../../documents/jobs/survey-senses.ts';
import { newest } from '../../ground/newest.ts';
import type { Picture } from '../../picture/picture.ts';
import type { Reading, Says, Sense, SenseCase } from './sense.ts';
import { senses } from './senses.ts';

export interface Heartbeat {
  readonly says: Says;
  /** When any of them heard of it last; null: none ever did. */
  readonly heardAtMs: number | null;
  /** It surely lived at some time since then: what was heard may have been said a while before. Null: nobody can say. */
  readonly livedAtMs: number | null;
  /** Of `alive`: from when on it may be silent, if nothing more is heard; null otherwise. */
  readonly runsOutAtMs: number | null;
  /** For a person: of `alive` those that hear it, of `silent` those that do not, else why nobody can tell. */
  readonly why: string;
  readonly readings: readonly { readonly sense: Sense; readonly reading: Reading }[];
}

/** By what a heartbeat is judged. */
export type HeartbeatRules = SenseCase['rules'];

/** What was found of one picture at one moment: a step asks for every host again and again. */
interface Found {
  readonly nowMs: number;
  readonly heartbeatPeriodMs: number;
  readonly byHost: Map<string, Heartbeat>;
}
const foundOf = new WeakMap<Picture, Found>();

/** What the senses of the control plane say of a host, together. */
export function heartbeatOf(host: string, picture: Picture, nowMs: number, rules: HeartbeatRules): Heartbeat {
  const { heartbeatPeriodMs } = rules;
  let found = foundOf.get(picture);
  if (found?.nowMs !== nowMs || found.heartbeatPeriodMs !== heartbeatPeriodMs) {
    found = { nowMs, heartbeatPeriodMs, byHost: new Map() };
    foundOf.set(picture, found);
  }
  const known = found.byHost.get(host) ?? listen(host, picture, nowMs, rules);
  found.byHost.set(host, known);
  return known;
}

function listen(host: string, picture: Picture, nowMs: number, rules: HeartbeatRules): Heartbeat {
  const about: SenseCase = { host, picture, nowMs, rules, looked: null };
  const readings = senses
    .filter(({ kind }) => kind === 'control-plane')
    .map((sense) => ({ sense, reading: sense.speak(about) }));
  const of = (says: Says) => readings.map(({ reading }) => reading).filter((r) => r.says === says);
  const says = of('alive').length > 0 ? 'alive' : of('silent').length > 0 ? 'silent' : 'cannot-tell';
  const said = of(says);
  return {
    says,
    heardAtMs: newest(readings.map(({ reading }) => reading.heardAtMs)),
    livedAtMs: newest(
      readings.map(({ reading: r }) => (r.livedAtMs === undefined ? r.heardAtMs : r.livedAtMs)),
    ),
    runsOutAtMs: says === 'alive' ? newest(said.map(({ runsOutAtMs }) => runsOutAtMs ?? null)) : null,
    why: said.map(({ why }) => why).join(', '),
    readings,
  };
}

/** Is it heard now? */
export const isHeard = (host: string, picture: Picture, nowMs: number, rules: HeartbeatRules): boolean =>
  heartbeatOf(host, picture, nowMs, rules).says === 'alive';

/**
 * When it was last heard of, without what an operator's own hand may have moved: disabling or forcing down a service
 * counts as a report of its nova-compute (docs/facts.md#compute-services). Null: never.
 */
export function heardItselfMs(
  host: string,
  picture: Picture,
  nowMs: number,
  rules: HeartbeatRules,
): number | null {
  const hypervisor = picture.hypervisor(host);
  const isTouched = hypervisor === undefined || hypervisor.forcedDown || hypervisor.status === 'disabled';
  const { readings } = heartbeatOf(host, picture, nowMs, rules);
  const counted = readings.filter(({ sense }) => !isTouched || sense.name !== 'nova-report');
  return newest(counted.map(({ reading }) => reading.heardAtMs));
}

/** The hypervisors that would never be suspicious, each with the reason. Sorted by host. */
export function whoCannotBeJudged(picture: Picture, nowMs: number, rules: HeartbeatRules): Unjudged[] {
  const ofDownCells = picture.cellDown.map((host) => ({
    host,
    reason: 'Nova does not reach the cell it is in',
    help: "bring the cell's database and message queue back",
  }));
  const mute = picture.hypervisors.flatMap(({ host }): Unjudged[] => {
    const { says, why, readings } = heartbeatOf(host, picture, nowMs, rules);
    if (says !== 'cannot-tell') return [];
    return [{ host, reason: why, help: readings.map(({ sense }) => sense.help).join('; or ') }];
  });
  return [...ofDownCells, ...mute].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
}
