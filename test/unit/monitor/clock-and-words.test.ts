// Found by the simulation: a clock that is set back, and words about a host whose recovery is under way.
import { describe, expect, test } from 'vitest';
import { recoveriesOf } from '../../../src/monitor/core/state/state.ts';
import { contracts } from '../../../src/shared/documents/jobs/contracts.ts';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { done, Story, type World } from '../../support/monitor-story.ts';

const hypervisors = [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')];
const servers = [server('vm1', 'hv01'), server('vm9', 'hv02')];

function deadHv01(world: Partial<World> = {}): Story {
  const story: Story = new Story({
    inventory: () => inventory({ hypervisors, agents: [agent('hv01', 120_000)], servers }, story.atMs),
    finding: (name) => (['hv01', 'id-vm1'].includes(name) ? 'silent' : 'answers'),
    ...world,
  });
  return story;
}

describe('the clock is set back by an hour', () => {
  const hourMs = 3_600_000;

  test('while watching: the next check is due at once, not in an hour', () => {
    const story = deadHv01({ finding: () => 'answers' }).round();
    expect(story.state.watches.hosts.kind).toBe('watching');
    story.atMs -= hourMs;
    story.input({ kind: 'tick' });
    expect(story.state.watches.hosts.kind).toBe('refreshing');
  });

  test('while a job is awaited: its limit counts anew', () => {
    const story = deadHv01({ refresh: () => ({ state: 'running' }) }).round();
    story.atMs -= hourMs;
    story.input({ kind: 'tick' });
    story.atMs += contracts['refresh-inventory'].waitMs + 1;
    story.input({ kind: 'tick' });
    expect(story.refusals).toEqual(['worker-silent']);
  });

  test('while a recovery runs, and while its next attempt waits for its time', () => {
    let outcome: ReturnType<World['recover']> = { state: 'failed', detail: 'boom' };
    const story = deadHv01({ recover: () => outcome }).round();
    const before = recoveriesOf(story.state)[0]?.recovery;
    expect(before?.retryAtMs).not.toBeNull();
    outcome = { state: 'running' };
    story.atMs -= hourMs;
    story.input({ kind: 'tick' });
    expect(recoveriesOf(story.state)[0]?.recovery).toMatchObject({ retryAtMs: null, sinceMs: story.atMs });
    story.atMs += contracts.recover.waitMs + 1;
    story.input({ kind: 'tick' });
    expect(story.events.map((e) => e.kind)).toContain('recovery-lost');
  });
});

test('a host whose recovery is under way is not called well, and what stood for it ends with the recovery', () => {
  let refuses = true;
  const story = deadHv01({
    recover: (request) =>
      refuses
        ? done(request, {
            ...{ outcome: 'refused', acted: false, instances: [] },
            refusal: {
              name: 'spare-unfit',
              host: 'hv01',
              spare: 'hv04',
              why: 'it has a silent network agent',
            },
          })
        : { state: 'running' },
  }).round();
  expect(story.refusals).toEqual(['spare-unfit']);
  refuses = false;
  story.round().round();
  expect(recoveriesOf(story.state).map((r) => r.host)).toEqual(['hv01']);
  expect(story.events.filter((e) => e.kind === 'cleared')).toEqual([]);
  const recovery = recoveriesOf(story.state)[0]?.recovery;
  if (recovery === undefined) throw new Error('no recovery');
  story.outcome(recovery.job, done(recovery.job));
  expect(story.state.incidents[0]).toMatchObject({ stage: 'away', raised: null, recovery: null });
});
