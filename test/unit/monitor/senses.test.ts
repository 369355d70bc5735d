// The watch over senses: who could not be told dead is named while all is well, once until it changes.
import { expect, test } from 'vitest';
import { firstState, stateSchema } from '../../../src/monitor/core/state/state.ts';
import type { JobResult } from '../../../src/shared/documents/jobs/contracts.ts';
import { agent, hypervisor, inventory, server } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

type Survey = JobResult<'survey-senses'>;
const mute = (...hosts: string[]): Survey => ({
  ok: true,
  unjudged: hosts.map((host) => ({ host, reason: 'none was ever heard', help: 'a port' })),
  count: hosts.length,
  of: 2,
});

function cloudWith(survey: { now: Survey }): Story {
  const s: Story = new Story({
    inventory: () =>
      inventory(
        {
          hypervisors: [hypervisor('hv01'), hypervisor('hv02')],
          agents: [agent('hv01', 0, { heartbeatAtMs: s.atMs }), agent('hv02', 0, { heartbeatAtMs: s.atMs })],
          servers: [server('vm1', 'hv01'), server('vm2', 'hv02')],
        },
        s.atMs,
      ),
    finding: () => 'answers',
    survey: () => survey.now,
  });
  return s;
}
const rounds = (s: Story, count: number): Story => {
  for (let i = 0; i < count; i += 1) s.round();
  return s;
};
/** So many that a survey falls into them, at one round a minute. */
const aSurveyLater = 21;

test('a host that nobody could tell dead is named once, again when it is another one, and its end is told', () => {
  const survey = { now: mute('hv01') };
  const s = rounds(cloudWith(survey), aSurveyLater);
  const first =
    '1 of 2 hypervisors with instances could not be told dead if they died now: hv01 (none was ever heard). `ns4 --senses` shows what each sense says.';
  expect(s.texts).toEqual([first]);
  expect(rounds(s, aSurveyLater).texts, 'it stands').toEqual([first]);
  survey.now = mute('hv01', 'hv02');
  expect(rounds(s, aSurveyLater).refusals).toEqual(['too-few-senses', 'too-few-senses']);
  survey.now = mute();
  expect(rounds(s, aSurveyLater).texts.at(-1)).toBe('Every hypervisor with instances can be judged now.');
  expect(s.state.raised).toEqual([]);
});

test('a survey that fails says nothing and is made again soon', () => {
  const survey: { now: Survey } = { now: { ok: false, detail: 'there is no inventory yet' } };
  const s = rounds(cloudWith(survey), 4);
  expect(s.texts).toEqual([]);
  survey.now = mute('hv02');
  expect(rounds(s, 4).refusals).toEqual(['too-few-senses']);
});

test('the state of a monitor from before the watch is read', () => {
  const { watches, ...rest } = firstState('life');
  const read = stateSchema.parse({ ...rest, watches: { ...watches, senses: undefined } });
  expect(read.watches.senses.kind).toBe('resting');
});
