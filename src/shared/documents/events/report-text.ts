// The summary of a recovery, for people: told as an event, and printed by `ns4 -d`.
import type { EvacuationReport } from '../jobs/evacuate.ts';
import type { InstanceReport } from '../jobs/recover.ts';
import { refusalSentence } from '../refusals/refusals.ts';
import { list, seconds } from './words.ts';

/** Every instance is back (or there was none). */
export function endedWell(report: EvacuationReport): boolean {
  return report.outcome === 'done' && report.instances.every((i) => i.outcome === 'recovered');
}

/** How a recovery ended, in one or two sentences. */
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
