// What each event says to people: one sentence and one level per kind. Facts in, words out; nothing else builds texts
// for Slack.

import { fencingText } from '../fencing-mode.ts';
import type { EvacuationReport, InstanceReport } from '../jobs/evacuate.ts';
import { refusalEntry, refusalSentence } from '../refusals/refusals.ts';
import type { EventFacts, EventLevel, SonnyEvent } from './events.ts';

/** A complete event from its facts. */
export function announce(cloud: string, atMs: number, facts: EventFacts): SonnyEvent {
  const { level, text } = sentence(facts);
  return { version: 1, cloud, atMs, level, text, facts };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
const list = (names: readonly string[], most = 20): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

/** Level and words of an event. */
export function sentence(facts: EventFacts): { level: EventLevel; text: string } {
  const say = (level: EventLevel, text: string) => ({ level, text });
  switch (facts.kind) {
    case 'monitor-started':
      return say(
        'info',
        `${leadsText(facts)}${facts.fencing === 'none' ? ` ${capital(fencingText('none'))}.` : ''}`,
      );
    case 'monitor-stopped':
      return say('info', 'The monitor stops watching.');
    case 'suspects-found':
      return say(
        'warning',
        `No heartbeat from ${list(facts.hosts.map((h) => `${h.host} for ${seconds(h.silentMs)}`))}. Looking closer.`,
      );
    case 'refused':
      return say(refusalEntry(facts.refusal).level, refusalSentence(facts.refusal));
    case 'cleared':
      return say('info', clearedText(facts.scope, facts.of));
    case 'backoff-over':
      return say('info', `No hypervisor is suspicious any more; backed off ${times(facts.rounds)}.`);
    case 'hosts-silent':
      return say(
        'warning',
        `No answer from ${list(facts.hosts.map((h) => `${h.host} (${h.detail})`))}, while the control hosts answer. Asking the instances.`,
      );
    case 'host-dead':
      return say('error', `${facts.host} is dead: ${facts.evidence.join('; ')}.`);
    case 'evacuation-requested':
      return say('warning', `Recovering ${facts.dead} -> ${facts.spare} (incident ${facts.incident}).`);
    case 'evacuation-continued':
      return say(
        'warning',
        `Continuing ${facts.dead} -> ${facts.spare} with another worker, attempt ${facts.attempt}: ${facts.why}.`,
      );
    case 'evacuation-step':
      return say('info', `${facts.dead} -> ${facts.spare}: ${facts.step}.`);
    case 'instance':
      return say(facts.instance.outcome === 'recovered' ? 'info' : 'error', instanceText(facts));
    case 'evacuation-ended':
      return say(endedWell(facts.report) ? 'info' : 'error', endedText(facts.report));
    case 'evacuation-lost':
      return say(
        'error',
        `Nobody knows how ${facts.dead} -> ${facts.spare} ended (${facts.why}). Please look; the cooldown stands.`,
      );
    case 'disabled-with-instances':
      return say(
        'warning',
        `${facts.host} is disabled, yet ${facts.instances} instances are on it; it is treated as any other.`,
      );
    case 'fence-confirmed':
      return say(
        'warning',
        `${facts.by} says that ${facts.host} is off. That is taken as proof for an hour, unless a heartbeat of it comes.`,
      );
    case 'hold-lifted':
      return say(
        'warning',
        `Recoveries are allowed again: ${facts.by} accepted that Redis lost what I knew.`,
      );
    case 'cooldown-reset':
      return say('warning', `The cooldown was reset by ${facts.by}.`);
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function leadsText({ resumed, who, epoch }: Extract<EventFacts, { kind: 'monitor-started' }>): string {
  return resumed
    ? `The monitor ${who} leads now (epoch ${epoch}) and goes on where the last one stood.`
    : `The monitor ${who} is watching (epoch ${epoch}).`;
}

function clearedText(scope: string, of: string): string {
  if (of === 'control-plane-suspect' && /^(zone|aggregate) |^cloud$/.test(scope))
    return `Agents and compute services of ${scope === 'cloud' ? 'the cloud' : scope} report again.`;
  if (scope !== 'cloud') return `${scope} is no longer suspicious (it was: ${of}).`;
  return of === 'too-many-suspects'
    ? 'The number of suspects is within the limit again.'
    : 'I can see the cloud again.';
}

const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);

function instanceText({ instance: i, spare }: { instance: InstanceReport; spare: string }): string {
  const took = i.tookMs === null ? '' : ` after ${seconds(i.tookMs)}`;
  switch (i.outcome) {
    case 'recovered':
      return `${i.name} is back on ${spare}${took} (${i.after ?? i.before}).`;
    case 'skipped':
      return `${i.name} stays where it is: ${i.why}.`;
    case 'failed':
      return `${i.name} could not be recovered: ${i.why}.`;
    case 'unfinished':
      return `${i.name} is not back yet: ${i.why}.`;
  }
}

/** Every instance is back (or there was none). */
export function endedWell(report: EvacuationReport): boolean {
  return report.outcome === 'done' && report.instances.every((i) => i.outcome === 'recovered');
}

/** The summary of a recovery, also printed by `ns4 -d -s`. */
export function endedText(report: EvacuationReport): string {
  const pair = `${report.dead} -> ${report.spare}`;
  const of = (outcome: InstanceReport['outcome']) => report.instances.filter((i) => i.outcome === outcome);
  const back = of('recovered');
  const rest = report.instances.filter((i) => i.outcome !== 'recovered');
  const named = rest.map((i) => `${i.name} ${i.outcome} (${i.why})`);
  switch (report.outcome) {
    case 'refused':
      return `${pair} was refused: ${report.refusal ? refusalSentence(report.refusal) : 'no reason given.'}`;
    case 'stopped':
      return `${pair} was stopped after ${back.length} of ${report.instances.length} instances: ${report.refusal ? refusalSentence(report.refusal) : ''} Please look.`;
    case 'superseded':
      return `${pair}: somebody else took this recovery over.`;
    case 'handed-back':
      return `${pair} was handed back by its worker.`;
    case 'done':
      if (report.instances.length === 0) return `${pair}: there was no instance to recover.`;
      if (rest.length === 0)
        return `${pair}: all ${back.length} affected instances are back (${list(back.map((i) => i.name))}), after ${seconds(report.tookMs)}.`;
      return `${pair}: ${back.length} of ${report.instances.length} instances are back after ${seconds(report.tookMs)}; ${list(named)}. Please look.`;
  }
}
