// What a monitor says of itself and of its incidents, as lines for people. Pure.

import type { Status } from '../../shared/documents/status.ts';
import { fencingText } from '../../shared/documents/terms/fencing-mode.ts';
import { targetsText } from '../../shared/documents/terms/plan.ts';
import { scopeText } from '../../shared/documents/terms/scope.ts';
import { counted } from '../../shared/ground/counted.ts';
import type { FoundStatus } from '../../shared/redis/status.ts';
import { durationText } from '../render/durations.ts';

/** What is known of a cloud's monitor. */
export interface MonitorView {
  /** The monitor that leads, by its lease; null: none does. */
  readonly leader: string | null;
  /** What the last one that led published. */
  readonly published: FoundStatus;
}

/** Lines per cloud, at most: a rack that falls silent must not push everything else out of the answer. */
const mostRaised = 3;
const mostIncidents = 8;
/** A sentence may quote a whole error page. */
const longestSentence = 200;

/** Who leads, policy, safe mode, cooldown, what stands about the cloud, and a line for each open incident. */
export function monitorLines(view: MonitorView, nowMs: number): string[] {
  const { published } = view;
  if (published.kind !== 'found') return standing(view, nowMs);
  const { raised, incidents, runningTwice } = published.status;
  const urgentFirst = incidents.toSorted((a, b) => rank(a) - rank(b));
  return [
    ...runningTwice.map(({ text, sinceMs }) => `${short(text)} (for ${durationText(nowMs - sinceMs)})`),
    ...standing(view, nowMs),
    ...atMost(mostRaised, raised, 'refusal', ({ text }) => short(text)),
    ...atMost(mostIncidents, urgentFirst, 'incident', (incident) => incidentLine(incident, nowMs)),
  ];
}

/** The same in one line, its incidents counted. */
export function monitorLine(view: MonitorView, nowMs: number): string {
  const { published } = view;
  const open =
    published.kind === 'found' ? [`${counted(published.status.incidents.length, 'open incident')}`] : [];
  return [...standing(view, nowMs), ...open].join('; ');
}

function standing({ leader, published }: MonitorView, nowMs: number): string[] {
  const leads = leader === null ? 'no monitor leads now: nobody decides anything' : `${leader} leads`;
  if (published.kind === 'none') return [leads, 'no monitor has published its status yet'];
  if (published.kind === 'not-understood') return [leads, notUnderstood(published.version)];
  const { status } = published;
  const { safeMode, cooldown, policy } = status;
  const lines = [leads];
  if (status.leader.who !== leader) lines.push(`the rest is as ${status.leader.who} left it`);
  if (safeMode !== null)
    lines.push(`in safe mode, nothing is recovered: ${short(safeMode.why)} ("monitor --accept-empty-state")`);
  lines.push(fencingText(policy.fencing));
  if (cooldown !== null && cooldown.untilMs > nowMs)
    lines.push(
      `cooldown: no recovery begins within the next ${durationText(cooldown.untilMs - nowMs)} ("ns4 --reset-cooldown")`,
    );
  return lines;
}

function notUnderstood(version: number | null): string {
  const found = version === null ? 'no version' : `version ${version}`;
  return `the status of the monitor cannot be read (${found}): are monitor and sonny of the same release?`;
}

type IncidentStatus = Status['incidents'][number];

/** The most urgent first; before them any stage that this version does not know. */
const stages = ['recovering', 'dead', 'silent', 'suspect', 'away'];
const rank = ({ stage }: IncidentStatus): number => stages.indexOf(stage);

function incidentLine(incident: IncidentStatus, nowMs: number): string {
  const { subject, stage, openedAtMs, raised, recovery } = incident;
  const open = `incident open for ${durationText(nowMs - openedAtMs)}`;
  const stands = raised === null ? '' : `; ${short(raised.text)}`;
  if (recovery === null) {
    const words = stage === 'away' ? 'not back in service' : stage;
    return `${scopeText(subject)}: ${words}, ${open}${stands}`;
  }
  const attempt = recovery.attempt > 1 ? `, attempt ${recovery.attempt}` : '';
  const since = durationText(nowMs - recovery.sinceMs);
  return `${scopeText(subject)} -> ${targetsText(recovery.targets)}: ${stage} for ${since}${attempt}, ${open}${stands}`;
}

function atMost<T>(most: number, all: readonly T[], noun: string, line: (one: T) => string): string[] {
  const lines = all.slice(0, most).map(line);
  return all.length > most ? [...lines, `… and ${counted(all.length - most, `more ${noun}`)}`] : lines;
}

/** One line of bounded length. */
function short(text: string): string {
  const characters = [...text.replaceAll(/\s+/g, ' ').trim()];
  if (characters.length <= longestSentence) return characters.join('');
  return `${characters.slice(0, longestSentence).join('').trimEnd()}…`;
}
