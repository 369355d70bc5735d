// The summary of a recovery, for people: told as an event, and printed by `ns4 -d`.
import { quoted } from '../../ground/plain.ts';
import { askedForOnly, type InstanceReport, type RecoveryReport } from '../jobs/recover.ts';
import { refusalSentence } from '../refusals/refusals.ts';
import { targetsText } from '../terms/plan.ts';
import { twiceText } from './twice-text.ts';
import { list, seconds } from './words.ts';

/** Every instance is back (or there was none), and the host was silent to the end. */
export function endedWell(report: RecoveryReport): boolean {
  return (
    report.outcome === 'done' &&
    report.lifeAtEnd === undefined &&
    report.instances.every((i) => i.outcome === 'recovered')
  );
}

/** Those that are back and answered before, but do not now. */
export const mute = ({ instances }: RecoveryReport): InstanceReport[] =>
  instances.filter(({ outcome, answers }) => outcome === 'recovered' && answers === false);

/** How a recovery ended, in a few sentences. */
export function endedText(report: RecoveryReport): string {
  return [outcomeText(report), lifeText(report), pendingText(report)].filter((text) => text !== '').join(' ');
}

function outcomeText(report: RecoveryReport): string {
  const pair = `${report.dead} -> ${targetsText(report.targets)}`;
  const back = report.instances.filter((i) => i.outcome === 'recovered');
  const rest = report.instances.filter((i) => i.outcome !== 'recovered');
  const named = rest.map((i) => `${quoted(i.name)} ${i.outcome} (${i.why})`);
  const silent = mute(report).map(({ name }) => quoted(name));
  const unheard = silent.length === 0 ? '' : ` ${muteText(silent)}`;
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
        return `${pair}: all ${back.length} affected instances are back (${list(back.map((i) => quoted(i.name)))}), after ${seconds(report.tookMs)}.${unheard}`;
      return `${pair}: ${back.length} of ${report.instances.length} instances are back after ${seconds(report.tookMs)}; ${list(named)}. Please look.${unheard}`;
  }
}

const muteText = (names: readonly string[]): string =>
  names.length === 1
    ? `${names[0]} runs, but does not answer as it did before. Please look.`
    : `${list(names)} run, but do not answer as they did before. Please look.`;

/** Instances that were started, or may yet be, at a target. */
export const movedIn = ({ instances }: Pick<RecoveryReport, 'instances'>): InstanceReport[] =>
  instances.filter(
    (i) => i.outcome === 'recovered' || (i.outcome === 'unfinished' && i.why === askedForOnly),
  );

/** The host lives, and some of its instances were moved: they may run on both. */
function lifeText(report: RecoveryReport): string {
  const { dead, refusal, outcome, lifeAtEnd } = report;
  if (outcome === 'stopped' && refusal?.name === 'came-back') {
    const moved = movedIn(report).map((i) => i.name);
    return moved.length === 0 ? '' : twiceText(dead, moved);
  }
  if (lifeAtEnd === undefined) return '';
  const { evidence, since } = lifeAtEnd;
  return `But ${dead} shows signs of life (${evidence}). ${twiceText(dead, since)}`;
}

function pendingText({ dead, instances }: RecoveryReport): string {
  const waiting = instances
    .filter((i) => i.pending !== undefined)
    .map((i) => `${quoted(i.name)} (${i.pending})`);
  return waiting.length === 0
    ? ''
    : `Orders of users wait for ${dead} in RabbitMQ: ${list(waiting)}. Purge the queue compute.${dead} before it returns.`;
}
