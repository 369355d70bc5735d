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

const lead = (s: Story, epoch: number, found: 'state' | 'lost' | 'nothing') =>
  s.input({ kind: 'leads', epoch, who: `host/${epoch}`, found });
const named = (s: Story) => s.refusals.filter((name) => name === 'too-few-senses').length;

test('a monitor that starts or takes over names them once more, with its first inventory', () => {
  const s = rounds(lead(cloudWith({ now: mute('hv01') }), 1, 'nothing'), aSurveyLater);
  expect(named(s)).toBe(1);
  for (const epoch of [2, 3]) {
    lead(s, epoch, 'state');
    expect(named(s), 'not before there is one').toBe(epoch - 1);
    const ledAtMs = s.atMs;
    s.round().input({ kind: 'tick' }).settle();
    expect(named(s)).toBe(epoch);
    expect(s.atMs - ledAtMs, 'within a round').toBeLessThan(s.rules.monitorPeriodMs + 5_000);
    expect(named(rounds(s, aSurveyLater)), 'once').toBe(epoch);
  }
});

test('a survey that is under way when another one takes over, or that fails, is said as the first one', () => {
  const survey: { now: Survey } = { now: mute('hv01') };
  const s = rounds(lead(cloudWith(survey), 1, 'nothing'), aSurveyLater);
  survey.now = { ok: false, detail: 'there is no inventory yet' };
  lead(s, 2, 'state').round();
  expect(named(s)).toBe(1);
  survey.now = mute('hv01');
  expect(named(rounds(s, 4))).toBe(2);
  expect(named(rounds(s, aSurveyLater))).toBe(2);
});

test.each(['lost', 'nothing'] as const)(
  'Redis is empty (%s): who was heard has to be heard first',
  (found) => {
    const s = lead(cloudWith({ now: mute('hv01') }), 1, found).round();
    expect(named(s)).toBe(0);
    expect(named(rounds(s, 3))).toBe(1);
  },
);

test('the state of a monitor from before the watch is read', () => {
  const { watches, ...rest } = firstState('life');
  const read = stateSchema.parse({ ...rest, watches: { ...watches, senses: undefined } });
  expect(read.watches.senses.kind).toBe('resting');
});
